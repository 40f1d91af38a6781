// Package bombs gives every loader of files small texts that expand to large ones, or that take a parser a long time. The
// loader must end and use little memory, whatever its result. BenchmarkBombs measures the time and the memory.
package bombs

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/files"
	"kubernaut.io/dynamic-toolset/internal/publish"
	"kubernaut.io/dynamic-toolset/internal/store"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Limits of one text. Memory is what lives at a time, a quarter of which may be garbage.
const (
	unmistakable = 1 << 30  // in a test: a bomb that goes off takes all there is
	maxMemory    = 96 << 20 // in a benchmark
	maxTimes     = 50       // as long as the YAML library takes for a harmless text of the same size, in the same run
)

const size = 1 << 20

// fill repeats a text as often as it fits, counting in it where it says so.
func fill(format string) string {
	var b strings.Builder
	for i := 0; b.Len() < size-200; i++ {
		if strings.Contains(format, "%") {
			fmt.Fprintf(&b, format, i)
		} else {
			b.WriteString(format)
		}
	}
	return b.String()
}

func times(n int, s string) string { return strings.Repeat(s, n) }

// bombs are values, as they stand behind a key on one line.
func bombs() map[string]string {
	laughs := "[x0, x0]"
	merges := "{x: 1}"
	for i := range 40 {
		laughs = fmt.Sprintf("[&a%d %s, *a%d]", i, laughs, i)
		merges = fmt.Sprintf("{y%d: &m%d %s, <<: [*m%d, *m%d]}", i, i, merges, i, i)
	}
	items, long := "["+times(100_000, "x,")+"]", times(400_000, "k")
	return map[string]string{
		"laughs":                        laughs,
		"merges":                        merges,
		"one list in many places":       "{a: &a " + items + ", b: [" + times(100_000, "*a,") + "]}",
		"one list in many values":       "{a: &a " + items + ", b: {" + fill("k%d: *a, ") + "}}",
		"one list in many rules":        "[{labels: {a: &a " + items + "}}" + times(20_000, ", {labels: {a: *a}}") + "]",
		"one text in many places":       "{a: &a " + long + ", b: [" + times(100_000, "*a,") + "]}",
		"one text in many lists":        "{a: &a [" + long + "], b: [" + times(100_000, "*a,") + "]}",
		"one mapping merged often":      "{a: &a {" + keys(40_000) + "}, b: [" + times(40_000, "{<<: *a},") + "]}",
		"one key above many":            "{" + long + ": {" + keys(60_000) + "}}",
		"one key above many aliases":    "{" + long + ": [&a [x, x, x], " + times(50_000, "*a,") + "]}",
		"one key in many mappings":      "[{? &a " + long + " : x}" + times(40_000, ", {? *a : x}") + "]",
		"deep below long keys":          nested(60, times(1000, "k"), "["+times(50_000, "x,")+"]"),
		"a list in itself":              "&a [*a, *a, *a]",
		"a mapping in itself":           "&a {b: *a, <<: *a}",
		"merged into itself":            "&a {<<: [*a, *a, *a]}",
		"deep lists":                    times(9_000, "[") + times(9_000, "]"),
		"deep mappings":                 times(9_000, "{a: ") + times(9_000, "}"),
		"open lists":                    times(size/2, "["),
		"many items":                    "[" + fill("a,") + "]",
		"many keys":                     "{" + keys(120_000) + "}",
		"one key many times":            "{" + fill("a: 1,") + "}",
		"many empty":                    "[" + fill("{},") + "]",
		"many bad items":                "[" + fill("[],") + "]",
		"many short names":              "[" + fill("Q%x,") + "]",
		"one long text":                 `"` + times(size-200, "x") + `"`,
		"one long text of line breaks":  `"` + times(size/2-200, `\n`) + `"`,
		"many anchors":                  "[" + fill("&a%d x,") + "]",
		"many tags":                     "[" + fill("!t%d x,") + "]",
		"many numbers":                  "[" + times(50_000, "1e99,") + times(9, times(2000, "9")+",") + "]",
		"one number":                    times(size-200, "9"),
		"many dates":                    "[" + fill("2024-11-30T10:10:10.99999Z,") + "]",
		"many references":               `"` + fill("{{ env.A }} ") + `"`,
		"many placeholders":             `"` + fill("$(x) ") + `"`,
		"one that decodes itself, deep": "{a: " + times(9_000, "[") + times(9_000, "]") + "}",
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%x: 1,", i)
	}
	return b.String()
}

func nested(depth int, key, inner string) string {
	return times(depth, "{"+key+": ") + inner + times(depth, "}")
}

// whole are texts that are bombs as they are.
func whole() map[string]string {
	return map[string]string{
		"directives":       fill("%%TAG !%x! a\n") + "--- a: b\n",
		"directives alone": fill("%%TAG !%x! a\n"),
		"comments":         "a: 1\n" + fill("# x\n") + "b: 1\n",
		"comments behind":  fill("a%d: #x\n"),
		"documents":        fill("---\n"),
		"dashes":           fill("-\n"),
		"nested dashes":    times(9_000, "- ") + "a\n",
		"questions":        fill("?\n"),
		"indented":         staircase(),
		"line breaks":      fill("\n"),
		"tabs":             fill("\t"),
		"plain lines":      fill("a\n"),
		"blanks":           "a: " + times(size-200, " ") + "b",
		"block":            "a: |\n" + fill(" x\n"),
		"zeros":            times(size-200, "\x00"),
	}
}

func staircase() string {
	var b strings.Builder
	for i := 0; b.Len() < size-3000; i++ {
		b.WriteString(times(i, " ") + "a:\n")
	}
	return b.String()
}

// A loader reads a text. Within frames a bomb stands where the loader looks closest.
type loader struct {
	frames []string
	json   bool   // it reads JSON
	memory uint64 // more than maxMemory, for a command that does nothing else
	load   func(t testing.TB, text string)
}

func loaders(t testing.TB) map[string]loader {
	t.Helper()
	builtin, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	prometheus := published()
	return map[string]loader{
		"config": {
			frames: []string{"credentials: B", "discovery: {namespaces: B}"},
			load:   func(t testing.TB, text string) { t.Helper(); _, _ = config.Load(write(t, text), nil) },
		},
		"flag": {
			frames: []string{"credentials=B"},
			load:   func(_ testing.TB, text string) { _, _ = config.Load("", []string{text}) },
		},
		"catalog": {
			frames: []string{
				"type: a\ntoolset: {compact: B}", "type: a\ndetect: {strong: [{labels: B}]}",
				"type: a\nprobe: {identity: B}",
			},
			load: func(t testing.TB, text string) { t.Helper(); _, _ = catalog.Load(filepath.Dir(write(t, text))) },
		},
		"overrides": {
			frames: []string{
				"instances: {prometheus: {a/b: {x: B}}}",
				"toolsets: {x/y: {type: http, description: x, config: {endpoints: B}}}",
			},
			load: func(_ testing.TB, text string) {
				if o, err := toolset.ParseOverrides("o.yaml", []byte(text)); err == nil {
					_, _ = toolset.Build([]*backend.Finding{prometheus}, toolset.Options{Types: builtin.Types}, o)
				}
			},
		},
		"document": {
			frames: []string{"toolsets: {prometheus/metrics: {config: {instances: B}}}"},
			load:   func(_ testing.TB, text string) { toolset.Validate("d.yaml", []byte(text)) },
		},
		"objects": {
			json: true, memory: 256 << 20,
			frames: []string{"kind: List\nitems: B"},
			load: func(t testing.TB, text string) {
				t.Helper()
				_, _ = files.Read(t.Context(), []string{files.Stdin}, strings.NewReader(text), nothing{}, files.ReadOptions{})
			},
		},
		"state": {
			json:   true,
			frames: []string{`{"version": 1, "published": B}`, `{"version": 1, "primaries": B}`, `B`},
			load:   func(_ testing.TB, text string) { _, _ = publish.DecodeState(text) },
		},
	}
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	return path
}

// published is a backend that overrides patch.
func published() *backend.Finding {
	ref := backend.Ref{Namespace: "a", Name: "b"}
	return &backend.Finding{
		Ref: ref, Type: "prometheus", Verdict: backend.Accepted, Reason: backend.Reason{Code: backend.CodeWorks}, Primary: true,
		Candidate: &backend.Candidate{
			Service: &backend.Service{Ref: ref, Created: time.Unix(0, 0)}, Type: "prometheus", Instance: "a/b",
			Host: "b.a.svc.cluster.local", Scheme: "http", PortNumber: 9090, Strength: backend.Strong,
		},
		Observation: backend.Observation{Outcome: backend.Ready},
	}
}

type nothing struct{}

func (nothing) Service(backend.Service)        {}
func (nothing) Slice(backend.Ref, store.Slice) {}

func (nothing) Expose(store.Exposer, map[string][]backend.Exposure) {}

// jsonBombs are for what is read as JSON.
func jsonBombs() map[string]string {
	return map[string]string{
		"deep JSON":    times(size/2, "[") + times(size/2, "]"),
		"deep objects": times(200_000, `{"a":`) + "1" + times(200_000, "}"),
		"many objects": "[" + fill("{},") + "{}]",
		"many null":    "[" + fill("null,") + "{}]",
		"many members": "{" + fill(`"%x":{},`) + `"a":{}}`,
		"many texts":   "{" + fill(`"%x":"",`) + `"a":""}`,
		"one text":     `"` + times(size-200, "x") + `"`,
		"one number":   times(size-200, "9"),
	}
}

// texts are all bombs for a loader, by what they are.
func (l *loader) texts() map[string]string {
	all, values := whole(), bombs()
	if l.json {
		maps.Copy(values, jsonBombs())
	}
	for _, frame := range l.frames {
		for bomb, text := range values {
			all[bomb+" in "+frame] = strings.ReplaceAll(frame, "B", text)
		}
	}
	return all
}

func TestBombs(t *testing.T) {
	t.Attr("req", "DTS-SEC-3 DTS-RUN-5")
	for name, l := range loaders(t) {
		t.Run(name, func(t *testing.T) {
			for bomb, text := range l.texts() {
				l.measure(t, bomb, text)
			}
		})
	}
}

// BenchmarkBombs fails where a text takes a loader much longer than its size accounts for, or too much memory.
func BenchmarkBombs(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	plain := loader{load: func(_ testing.TB, text string) { _ = yaml.Unmarshal([]byte(text), new(any)) }}
	harmless := "{" + fill(`"k%d": "v", `) + `"z": "v"}`
	usual := time.Hour
	for range 5 {
		took, _ := plain.measure(b, "harmless", harmless)
		usual = min(usual, took)
	}
	for name, l := range loaders(b) {
		b.Run(name, func(b *testing.B) {
			texts := l.texts()
			var slowest time.Duration
			var most uint64
			for b.Loop() {
				for bomb, text := range texts {
					took, memory := l.measure(b, bomb, text)
					if took > maxTimes*usual || memory > max(maxMemory, l.memory) {
						b.Errorf("%s: %s, %d MiB; a harmless text takes %s", bomb, took, memory>>20, usual)
					}
					slowest, most = max(slowest, took), max(most, memory)
				}
			}
			b.ReportMetric(float64(slowest)/float64(usual), "times-harmless")
			b.ReportMetric(float64(most>>20), "MiB")
		})
	}
}

// measure loads a text, and says how long that took and the most memory that was seen meanwhile.
func (l *loader) measure(t testing.TB, bomb, text string) (took time.Duration, most uint64) {
	t.Helper()
	runtime.GC()
	before := live()
	start := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.load(t, text)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return time.Since(start), most
		case <-tick.C:
			if now := live(); now > before {
				most = max(most, now-before)
			}
			if most > unmistakable {
				// What runs cannot be stopped, and would take the machine with it.
				_, _ = fmt.Fprintf(os.Stderr, "%s: %s: %d MiB after %s\n", t.Name(), bomb, most>>20, time.Since(start))
				os.Exit(1) //nolint:forbidigo,gocritic // as said
			}
		}
	}
}

// live is the memory of objects, those that are not collected yet included.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
