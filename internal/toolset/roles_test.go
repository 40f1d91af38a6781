package toolset

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// roles are the lines of what the agent reads that say what instances of built-in toolsets are.
func roles(d *Document) (lines []string) {
	text, _ := entryOf(d, notesEntry)["llm_instructions"].(string)
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, ", instance ") && !strings.Contains(line, "Owner's note") {
			lines = append(lines, line)
		}
	}
	return lines
}

func ofTenant(name string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.Tenant = name }
}

func bundled(whose string) func(*backend.Finding) {
	return func(f *backend.Finding) { f.Candidate.Bundled = whose }
}

func shardOf(ref string) func(*backend.Finding) {
	namespace, name, _ := strings.Cut(ref, "/")
	return func(f *backend.Finding) {
		f.ShardOf = backend.Key{Ref: backend.Ref{Namespace: namespace, Name: name}, Type: "thanos"}
	}
}

// Other readers get, in the place of a primary that is a shard, what sees all of it; the compact form of its type stays.
func TestShardYields(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-OUT-15")
	yields := func(f *backend.Finding) { f.Yields = true }
	keys := OwnKeys{"x.yaml": map[string]any{"url": "$(primary.prometheus.url)"}}
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		want     string
	}{
		"a shard would be it": {[]*backend.Finding{
			found("prometheus", "a/x", 9090), found("prometheus", "b/x", 9090, shardOf("b/t"), yields), found("thanos", "b/t", 9091, primary),
		}, "http://t.b."},
		"the place is kept for another": {[]*backend.Finding{
			found("prometheus", "evil/x", 9090, shardOf("evil/t")), found("thanos", "evil/t", 9091, primary),
		}, ""},
	} {
		o := options(t)
		o.Own = keys
		d := document(t, tt.findings, o, "")
		if got := d.own["x.yaml"]; !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		config, _ := d.Compact["prometheus"]["config"].(map[string]any)
		if url, _ := config["url"].(string); tt.want != "" && !strings.Contains(url, "http://x.b.") {
			t.Errorf("%s: the compact form names %q", name, url)
		}
	}
}

// Where a toolset has several instances, the agent reads which is the main one and what the others are.
func TestRoles(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	const kubecosts = "it is Kubecost's own, with what Kubecost scrapes"
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		want     []string
	}{
		"none": {},
		"one alone": {findings: []*backend.Finding{
			found("prometheus", "a/x", 9090, primary, vouched, bundled(kubecosts)), found("loki", "a/x", 3100, primary, ofTenant("t")),
		}},
		"a primary, a bundled one and another": {
			[]*backend.Finding{
				found("prometheus", "kubecost/p", 9090, bundled(kubecosts)), found("prometheus", "b/x", 9090), found("prometheus", "a/x", 9090, primary),
			},
			[]string{
				"- prometheus/metrics, instance a/x: the main one",
				"- prometheus/metrics, instance kubecost/p: " + kubecosts,
			},
		},
		"tenants, and one outside": {
			[]*backend.Finding{
				found("loki", "a/x", 3100, named("a/x/t1"), ofTenant("t1"), primary), found("loki", "a/x", 3100, named("a/x/t2"), ofTenant("t2")),
				found("loki", "outside/x", 3100, named("x"), vouched),
			},
			[]string{
				`- grafana/loki, instance a/x/t1: the main one; tenant "t1"`,
				`- grafana/loki, instance a/x/t2: tenant "t2"`,
				"- grafana/loki, instance x: outside the cluster",
			},
		},
		"several types": {
			[]*backend.Finding{
				found("prometheus", "a/x", 9090, primary), found("prometheus", "b/x", 9090), found("thanos", "a/t", 9090, primary, vouched),
			},
			[]string{
				"- prometheus/metrics, instance a/x: the main Prometheus",
				"- prometheus/metrics, instance a/t: the main Thanos Query",
			},
		},
		"a stranger's only one of a type is not called the main one": {
			[]*backend.Finding{found("prometheus", "a/x", 9090, primary, vouched), found("thanos", "evil/t", 9090, primary)},
			[]string{"- prometheus/metrics, instance a/x: the main Prometheus"},
		},
		"shards of one that sees all": {
			[]*backend.Finding{
				found("prometheus", "a/x", 9090, shardOf("a/t")), found("prometheus", "a/y", 9090, shardOf("a/t")),
				found("prometheus", "b/x", 9090), found("thanos", "a/t", 9090, primary, vouched),
			},
			[]string{
				"- prometheus/metrics, instance a/x: a shard of a/t, sees a part of what that sees",
				"- prometheus/metrics, instance a/y: a shard of a/t, sees a part of what that sees",
				"- prometheus/metrics, instance a/t: the main Thanos Query; sees all of a/x, a/y: ask it before them",
			},
		},
		"a shard of one that is not published": {findings: []*backend.Finding{
			found("prometheus", "a/x", 9090, shardOf("a/t")), found("prometheus", "a/y", 9090),
		}},
		"a type of two toolsets": {
			[]*backend.Finding{found("elasticsearch", "a/x", 9200, primary), found("elasticsearch", "b/x", 9200)},
			[]string{"- elasticsearch/data, instance a/x: the main one"},
		},
		"entries of their own": {
			findings: []*backend.Finding{found("wiki", "a/x", 80, own, primary), found("wiki", "b/x", 80, own)},
		},
	} {
		if diff := cmp.Diff(tt.want, roles(built(t, nil, tt.findings...))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Of many shards a few are named.
func TestRoleOfManyShards(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	findings := []*backend.Finding{found("thanos", "a/t", 9090)}
	for i := range 5 {
		findings = append(findings, found("prometheus", fmt.Sprint("a/", i), 9090, shardOf("a/t")))
	}
	lines := roles(built(t, nil, findings...))
	if want := "- prometheus/metrics, instance a/t: sees all of a/0, a/1, a/2, a/3, 1 more: ask it before them"; !slices.Contains(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

// A line names the instance as the document does.
func TestRolesNameInstancesAsWritten(t *testing.T) {
	t.Attr("req", "DTS-OUT-12")
	d := document(t, []*backend.Finding{
		found("prometheus", "a/x", 9090, primary, note("Ask me.")), found("prometheus", "b/x", 9090),
	}, options(t), "instances: {prometheus: {a/x: {name: production}}}")
	if diff := cmp.Diff([]string{"- prometheus/metrics, instance production: the main one"}, roles(d)); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`- prometheus/metrics, instance production: Owner's note: "Ask me."`}, ear(d)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// However many instances there are, the lines of a toolset take 1 KiB, and the names of a namespace no more than its notes
// may: the main one and what the configuration vouches for come first, then the oldest.
func TestRolesAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-12 DTS-SEC-3")
	for _, typ := range []string{"loki", "jaeger"} {
		findings := []*backend.Finding{
			found(typ, "z/main", 3100, primary, day(900)), found(typ, "z/mine", 3100, vouched, ofTenant("ours"), day(901)),
		}
		for i := range 100 {
			tenant := ofTenant(strings.Repeat("x", backend.MaxPlainTenant))
			findings = append(findings, found(typ, fmt.Sprintf("n%02d/s%03d", i%20, i), 3100, tenant, day(i+1)))
		}
		lines := roles(built(t, nil, findings...))
		if typ == "jaeger" {
			text, _ := entryOf(built(t, nil, findings...), typ)["llm_instructions"].(string)
			for _, line := range strings.Split(text, "\n") {
				if strings.HasSuffix(line, ")") && strings.HasPrefix(line, "- ") && strings.Contains(line, ": http") {
					lines = append(lines, line)
				}
			}
		}
		all := strings.Join(lines, "\n")
		said := strings.Count(all, "tenant") * len(` (tenant "")`+strings.Repeat("x", backend.MaxPlainTenant))
		if typ == "loki" {
			said = len(all)
		}
		if said > 1<<10 || said < 512 {
			t.Errorf("%s: %d bytes of roles:\n%s", typ, said, all)
		}
		for _, want := range []string{"z/main", "z/mine", "n00/s000", "n01/s001"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s: nothing is said of %s:\n%s", typ, want, all)
			}
		}
		if strings.Contains(all, "s099") {
			t.Errorf("%s: the youngest took a place:\n%s", typ, all)
		}
	}
}
