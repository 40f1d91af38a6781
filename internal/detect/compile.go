package detect

import (
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// compiled is a catalog type with its words split once.
type compiled struct {
	*catalog.Type
	products endings  // the product's own names
	words    []string // the first word of each of them
	suffixes endings  // may follow them
	parts    endings  // endings that count beside the type's own port
	nodes    endings  // tell the nodes of an installation apart
	kinds    endings  // may follow a word for a node

	ofPods, notPods []catalog.Rule // Strong and Reject for a Service without labels (pods.go)
}

// conventions is lookalikes.yaml, compiled.
type conventions struct {
	*catalog.Lookalikes
	roles   endings // parts that answer no queries
	always  endings // those that are reported for any Service
	named   endings // those that a Service's name tells, whatever a rule says
	neutral endings // may follow any of them

	readKeys map[string]bool // the annotations of Schemes and Wants
}

func compile(c *catalog.Catalog) ([]*compiled, conventions) {
	look := conventions{
		Lookalikes: c.Lookalikes,
		roles:      endings{},
		always:     endings{},
		named:      endings{},
		neutral:    newEndings(c.Lookalikes.Kinds, c.Lookalikes.Neutral),
		readKeys:   map[string]bool{},
	}
	for _, r := range c.Lookalikes.Schemes {
		for k := range r.Annotations {
			look.readKeys[k] = true
		}
	}
	for _, w := range c.Lookalikes.Wants {
		for k := range w.Annotations {
			look.readKeys[k] = true
		}
	}
	for _, r := range c.Lookalikes.Roles {
		look.roles.add(r.Because, r.Words)
		if r.Always {
			look.always.add(r.Because, r.Words)
		}
		if !r.Labelled {
			look.named.add(r.Because, r.Words)
		}
	}
	types := make([]*compiled, 0, len(c.Types))
	for _, t := range c.Types {
		own := &compiled{
			Type:     t,
			products: newEndings(t.Detect.Weak.Words),
			suffixes: newEndings(c.Lookalikes.Kinds, c.Lookalikes.Neutral, t.Detect.Weak.Suffixes),
			parts:    newEndings(t.Detect.Weak.Parts),
			nodes:    newEndings(t.Detect.Nodes),
			kinds:    newEndings(c.Lookalikes.Kinds),
			ofPods:   ofPods(t.Detect.Strong, c.Lookalikes),
			notPods:  ofPods(t.Detect.Reject, c.Lookalikes),
		}
		for _, names := range own.products {
			for _, name := range names {
				own.words = append(own.words, name.words[0])
			}
		}
		types = append(types, own)
	}
	return types, look
}

// means reports whether a name or label value is one of the product, in a part that answers queries: it ends in one of
// the product's words, with or without suffixes.
func (t *compiled) means(value string) bool { return t.endsIn(t.products, words(value)) }

// endsIn reports whether the words have one of the endings, with or without suffixes after it.
func (t *compiled) endsIn(set endings, ws []string) bool {
	for len(ws) > 0 {
		if len(set.of(ws).words) > 0 {
			return true
		}
		n := t.suffixes.tail(ws)
		if n == 0 {
			return false
		}
		ws = ws[:len(ws)-n]
	}
	return false
}

// meansPart reports whether a name or label value ends in one of the type's parts, or begins with one of its prefixes.
func (t *compiled) meansPart(value string) bool {
	ws := words(value)
	for _, p := range t.Detect.Weak.Prefixes {
		if prefix := words(p); len(ws) > len(prefix) && slices.Equal(prefix, ws[:len(prefix)]) {
			return true
		}
	}
	return t.endsIn(t.parts, ws)
}

// node returns the Service's name without the word for a node, and that word's place in the catalog's list, from 1; 0
// if the name has no such word. The word is at the end, before a kind of Service ("es-data-headless"), or anywhere if
// one of the said values ends in it ("test-master-es" and "master").
func (t *compiled) node(name string, said []string) (stem string, place int) {
	ws := words(name)
	for n := len(t.kinds.of(ws).words); n > 0 && n < len(ws); n = len(t.kinds.of(ws).words) {
		ws = ws[:len(ws)-n]
	}
	node := t.nodes.of(ws).words
	at := len(ws) - len(node)
	for _, value := range said {
		if longer := t.nodes.of(words(value)).words; len(longer) > len(node) {
			if i := indexOf(ws, longer); i >= 0 {
				node, at = longer, i
			}
		}
	}
	if len(node) == 0 || len(node) == len(ws) {
		return strings.Join(ws, "-"), 0
	}
	place = 1 + slices.Index(t.Detect.Nodes, strings.Join(node, "-"))
	return strings.Join(slices.Concat(ws[:at], ws[at+len(node):]), "-"), place
}

// knowsComponent reports whether a component label's value is a part of this product that may answer queries, or has
// only neutral words.
func (t *compiled) knowsComponent(value string) bool {
	ws := words(value)
	return t.means(value) || len(t.suffixes.of(ws).words) == len(ws)
}

// roleOf returns the reason of the role that a name or label value ends in, or "". The longest role counts, with or
// without neutral endings after it.
func (c *conventions) roleOf(roles endings, value string) string {
	ws := words(value)
	end := roles.of(ws)
	if trimmed := c.neutral.trim(ws); len(trimmed) < len(ws) {
		if other := roles.of(trimmed); len(other.words) > len(end.words) {
			end = other
		}
	}
	return end.because
}

// index finds the types that may match a Service, without evaluating a rule. For most Services of a cluster it finds
// none, and detection ends here.
type index struct {
	keys      map[string]*keyIndex // of labels, selectors and annotations
	tokens    map[string]mask      // words of names and of app-like labels, without a number at the end
	look      *catalog.Lookalikes
	portNames map[string]mask
	ports     map[int32]mask
	names     []namePattern
}

// keyIndex holds the types that a label key leads to.
type keyIndex struct {
	app    bool            // its value names software: its words are looked up too
	any    mask            // types that are near whatever the value is
	values map[string]mask // types that are near for one value
}

type namePattern struct {
	pattern string
	mask
}

func newIndex(types []*compiled, look *conventions) *index {
	x := &index{
		look:      look.Lookalikes,
		keys:      map[string]*keyIndex{},
		tokens:    map[string]mask{},
		portNames: map[string]mask{},
		ports:     map[int32]mask{},
	}
	for _, k := range slices.Concat(look.AppLabels, look.ComponentLabels) {
		x.key(k).app = true
	}
	for last := range look.always {
		x.addWord(last, lookalikeBit)
	}
	for i, t := range types {
		bit := mask(1) << i
		for _, w := range t.words {
			x.addWord(w, bit)
		}
		for _, r := range slices.Concat(t.Detect.Strong, t.Detect.Fronts) {
			x.addRule(&r, bit)
		}
		for _, labels := range []map[string]catalog.Values{t.Detect.Weak.Labels, t.Detect.Weak.Selector} {
			for k, v := range labels {
				x.addLabel(k, v, bit)
			}
		}
		for _, n := range t.Detect.Weak.PortNames {
			x.portNames[n] |= bit
		}
		for _, n := range t.Ports.Numbers {
			if !slices.Contains(t.Ports.Shared, n) {
				x.ports[n] |= bit
			}
		}
	}
	return x
}

func (x *index) addWord(word string, bit mask) {
	x.tokens[strings.TrimRight(word, digits)] |= bit
}

// addRule adds one condition of the rule to the index. All must hold for a match, so one is enough. It takes the one
// with the fewest patterns, which few Services fit.
func (x *index) addRule(r *catalog.Rule, bit mask) {
	bestKey, best := "", catalog.Values(nil)
	for _, labels := range []map[string]catalog.Values{r.Labels, r.Selector, r.Annotations} {
		for k, v := range labels {
			if best == nil || wildcards(v) < wildcards(best) || wildcards(v) == wildcards(best) && k < bestKey {
				bestKey, best = k, v
			}
		}
	}
	switch {
	case best != nil:
		x.addLabel(bestKey, best, bit)
	case len(r.Names) > 0:
		for _, p := range r.Names {
			x.names = append(x.names, namePattern{p, bit})
		}
	default:
		for _, p := range r.Ports {
			x.portNames[p] |= bit
		}
	}
}

func wildcards(v catalog.Values) (n int) {
	for _, p := range v {
		if strings.Contains(p, "*") {
			n++
		}
	}
	return n
}

func (x *index) key(k string) *keyIndex {
	if x.keys[k] == nil {
		x.keys[k] = &keyIndex{values: map[string]mask{}}
	}
	return x.keys[k]
}

func (x *index) addLabel(key string, values catalog.Values, bit mask) {
	k := x.key(key)
	for _, v := range values {
		if !strings.Contains(v, "*") {
			k.values[v] |= bit
			continue
		}
		if w := whole(v); w != "" {
			k.app = true
			x.addWord(w, bit)
			continue
		}
		k.any |= bit
	}
}

// whole returns a word that is in every value that fits the pattern, "" if there is none: "chart-*" and "*-chart" have
// the word chart, but "chart*" fits "charts" too.
func whole(pattern string) string {
	text := strings.Trim(pattern, "*")
	ws := split(text)
	switch {
	case len(ws) == 0:
		return ""
	case !strings.HasPrefix(pattern, "*") && (len(ws) > 1 || isSeparator(rune(text[len(text)-1]))):
		return ws[0]
	case !strings.HasSuffix(pattern, "*") && (len(ws) > 1 || isSeparator(rune(text[0]))):
		return ws[len(ws)-1]
	}
	return ""
}
