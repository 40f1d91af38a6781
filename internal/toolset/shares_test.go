package toolset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// What a namespace or a type is said to take is what the texts lose without it, whatever it is written into.
func TestShares(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	wikis := flood("wiki", "wikis", 40, 1, 300, "x", own)
	for i, f := range wikis {
		f.Type = fmt.Sprintf("wiki-%d", i%30) // types of their own count as custom
		f.Candidate.Type = f.Type
	}
	all := slices.Concat(wikis, flood("prometheus", "metrics", 50, 1, 0, ""), flood("thanos", "metrics", 10, 60, 0, ""),
		flood("jaeger", "traces", 20, 1, 0, ""), flood("elasticsearch", "logs", 15, 1, 0, ""),
		flood("mcp", "tools", 10, 1, 0, ""))
	for _, f := range all {
		f.Candidate.Description = "" // notes have a bound of their own, and are nobody's share
	}
	size := func(findings []*backend.Finding, formats ...string) int {
		o := options(t)
		o.Formats = formats
		d, err := Build(findings, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := d.Keys()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, text := range keys {
			n += len(text)
		}
		return n
	}
	for _, formats := range [][]string{nil, {HolmesGPT}, {Compact}} {
		o := options(t)
		o.Formats = formats
		d, err := Build(all, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		namespaces, types, err := d.Shares()
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, shares []Share, of func(*backend.Finding) string) {
			seen := map[string]bool{}
			for i, s := range shares {
				seen[s.Name] = true
				without := slices.DeleteFunc(slices.Clone(all), func(f *backend.Finding) bool { return of(f) == s.Name })
				lost := size(all, formats...) - size(without, formats...)
				// What a toolset's instances share is no namespace's, and who is the primary makes a difference.
				if diff := lost - s.Bytes; diff < -300 || diff > lost/5+400 {
					t.Errorf("%v: %s %s: %d bytes, and without it the texts are %d smaller", formats, what, s.Name, s.Bytes, lost)
				}
				if i > 0 && s.Bytes > shares[i-1].Bytes {
					t.Errorf("%v: %s are not in order: %v", formats, what, shares)
				}
			}
			for _, f := range all {
				if !seen[of(f)] && (len(formats) == 0 || formats[0] == HolmesGPT) {
					t.Errorf("%v: %s: nothing about %s in %v", formats, what, of(f), shares)
				}
			}
		}
		check("namespace", namespaces, func(f *backend.Finding) string { return f.Namespace })
		check("type", types, func(f *backend.Finding) string {
			if f.Candidate.Custom {
				return backend.TypeCustom
			}
			return f.Type
		})
	}
}

// Whatever the admin makes of the document, the shares can be computed.
func TestSharesOfPatchedDocuments(t *testing.T) {
	t.Attr("req", "DTS-OUT-9")
	for _, overrides := range []string{
		"toolsets: {prometheus/metrics: null}",
		"toolsets: {prometheus/metrics: {config: {instances: [{name: x, prometheus_url: 'http://x'}]}}}",
		"toolsets: {prometheus/metrics: {config: null}}",
		"instances: {prometheus: {a/x: null}}",
		"compact: {prometheus: null}",
		"compact: {prometheus: {config: {instances: [{name: " + strings.Repeat("x", 4000) + "}]}}}",
	} {
		findings := []*backend.Finding{found("prometheus", "a/x", 9090), found("prometheus", "b/x", 9090)}
		d, err := Build(findings, options(t), parse(t, overrides))
		if err != nil {
			t.Fatal(err)
		}
		namespaces, _, err := d.Shares()
		if err != nil {
			t.Errorf("%s: %v", overrides, err)
		}
		for _, s := range namespaces {
			if s.Bytes > 1000 {
				t.Errorf("%s: what the admin writes is counted for %v", overrides, s)
			}
		}
	}
}
