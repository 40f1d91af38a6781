//go:build real

package real

// known are the faults of today, by the name of the test: what is seen, as "verdict type probe", where the table wants
// something else. A test whose fault is gone fails until its line is taken out here.
var known = map[string]string{}

// knownPairs are those of the matrix, as "verdict type".
var knownPairs = map[string]string{}

// knownCalls are the products that are not in the document, or not under their URL, so that no tool reaches them: what is seen.
var knownCalls = map[string]string{}

// knownAnswers are the paths on which a stand-in differs from its product, by process.
var knownAnswers = map[string][]string{}
