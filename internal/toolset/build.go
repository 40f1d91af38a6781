// Package toolset turns accepted findings into the documents that are published: the HolmesGPT document and the compact
// form, with the admin's overrides merged in. It is pure: the same input gives the same bytes.
package toolset

import (
	"cmp"
	"slices"
	"strings"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// Formats of the output (config output.formats).
const (
	HolmesGPT = "holmesgpt"
	Compact   = "compact"
)

// Options of a build.
type Options struct {
	// Types is the catalog.
	Types []*catalog.Type
	// Baseline lists HolmesGPT's own toolsets that are always switched on, e.g. kubernetes/core.
	Baseline []string
	// GenerationMarker adds the disabled entry whose name changes with the document.
	GenerationMarker bool
	// Formats lists the formats to write; an empty list means all.
	Formats []string
	// TrustedNamespaces lists the namespaces whose notes the agent reads before the others.
	TrustedNamespaces []string
	// Own holds the keys that the configuration adds for other readers.
	Own OwnKeys
	// InForce means that the overrides were valid before. A patch that does not fit the backends found now is left out
	// with a warning, and the other patches stay in force. So no owner of a Service can disable all overrides.
	InForce bool
}

// Build returns the document of the accepted findings. A finding that cannot be written is left out with a warning. An
// error is either about the options or, as yamlfile.Errors, about overrides whose result HolmesGPT would not load. On
// such an error the caller keeps the last valid overrides.
func Build(findings []*backend.Finding, opts Options, overrides *Overrides) (*Document, error) {
	if overrides == nil {
		overrides = &Overrides{}
	}
	b := newBuilder(overrides, opts)
	for _, name := range opts.Baseline {
		b.toolsets[name] = map[string]any{"enabled": true}
	}
	items := b.published(findings, opts.Types)
	b.sayRoles(items)
	b.boundWords(items)
	for _, it := range items {
		b.add(it)
	}
	b.finish()
	doc := &Document{
		HolmesGPT: map[string]any{toolsets: b.toolsets},
		Backends:  b.behind,
		formats:   opts.Formats,
	}
	b.addCompact(doc, items)
	var err error
	if len(opts.Own) > 0 {
		if doc.own, err = newFiller(items).texts(opts.Own); err != nil {
			return nil, err
		}
	}
	if len(b.servers) > 0 {
		doc.HolmesGPT[mcpServers] = b.servers
	}
	unmet := b.merge(doc)
	warnings, err := b.check(doc)
	if err != nil {
		return nil, err
	}
	if err := doc.mark(opts.GenerationMarker); err != nil {
		return nil, err
	}
	doc.Tokens = Tokens(opts.Types, doc.HolmesGPT)
	doc.Warnings = slices.Concat(b.warnings, overrides.warnings, b.withheld(doc), unmet, warnings)
	return doc, nil
}

// item is an accepted finding with the settings of its type for writing it.
type item struct {
	*backend.Finding
	typ *catalog.Type
	url string

	patch  map[string]any // the overrides of the instance; nil if there are none
	origin string         // their path in the overrides

	role     string // its role among the instances of its toolset, for the agent
	nameless bool   // instructions must not contain the names that its owner chose

	placeholders *strings.Replacer
}

// published returns the items to write in the catalog's order of types. Within a type the primary is first and the
// others follow by name.
func (b *builder) published(findings []*backend.Finding, types []*catalog.Type) []*item {
	vouched := map[instanceKey]backend.Ref{}
	var items []*item
	for _, f := range findings {
		if f.Verdict != backend.Accepted || f.Candidate == nil {
			continue
		}
		if f.Vouched {
			vouched[instanceKey{f.Candidate.Type, f.Candidate.Instance}] = f.Ref
		}
		url := strings.TrimRight(f.Endpoint(), "/")
		items = append(items, &item{
			Finding: f, typ: typeOf(f, types), url: url,
			placeholders: strings.NewReplacer("$(url)", url, "$(instance)", f.Candidate.Instance,
				"$(namespace)", f.Namespace, "$(service)", f.Name, link, f.Link),
		})
	}
	slices.SortFunc(items, (*item).compare)
	return slices.DeleteFunc(items, func(it *item) bool {
		if w := it.unfit(); w.Code != "" {
			b.warn(w)
			return true
		}
		return b.override(it, vouched)
	})
}

// typeOf returns the catalog's type of a finding, or a generic type for an annotated backend; nil if there is no type.
func typeOf(f *backend.Finding, types []*catalog.Type) *catalog.Type {
	switch {
	case f.Candidate.Type == backend.TypeMCP:
		return serverType()
	case f.Candidate.Custom || f.Candidate.Type == backend.TypeCustom:
		return customType(f.Candidate.Type)
	}
	i := slices.IndexFunc(types, func(t *catalog.Type) bool { return t.Type == f.Candidate.Type })
	if i < 0 {
		return nil
	}
	return types[i]
}

func (it *item) compare(o *item) int {
	return cmp.Or(cmp.Compare(it.order(), o.order()), strings.Compare(it.Candidate.Type, o.Candidate.Type),
		-backend.CompareBool(it.Primary || it.Yields, o.Primary || o.Yields),
		strings.Compare(it.Candidate.Instance, o.Candidate.Instance), it.Ref.Compare(o.Ref))
}

func (it *item) order() int {
	if it.typ == nil {
		return 0
	}
	return it.typ.Order
}

// unfit returns the reason why an item must not be written, without a code if it may be written. Detection and probing
// already reject such text. If they miss it, this check keeps out text that HolmesGPT would expand.
func (it *item) unfit() Warning {
	c := it.Candidate
	if it.typ == nil || c.Type == kubernetesType || !isLabel(c.Type) {
		return it.about(Warning{Code: WarningTypeUnknown})
	}
	for _, field := range [][2]string{
		{"instance name", c.Instance}, {"URL", it.url},
		{"health path", c.HealthPath}, {"description", c.Description}, {"link", it.Link},
	} {
		if err := safetext.Check(field[1]); err != nil {
			return it.about(Warning{Code: WarningTextUnsafe, Field: field[0], Because: err.Error()})
		}
	}
	if strings.Contains(it.entryName(), ".") {
		return it.about(Warning{Code: WarningNameDot})
	}
	if origin, _ := splitURL(it.url); slices.ContainsFunc(it.typ.Toolset.HolmesGPT, isHTTP) && !isOrigin(origin) {
		return it.about(Warning{Code: WarningHost})
	}
	return Warning{}
}

// entryName returns the name of the item's own entry, "" if the entries of its type contain the item.
func (it *item) entryName() string {
	switch {
	case it.Candidate.Type == backend.TypeMCP:
		return "mcp/" + it.Candidate.Instance
	case it.Candidate.Custom || it.Candidate.Type == backend.TypeCustom:
		return "custom/" + it.Candidate.Instance
	}
	return ""
}
