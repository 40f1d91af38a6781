package toolset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// every text that a stranger can put into a Service or an answer, each of words of its own.
func strangersTexts(f *backend.Finding) {
	s := f.Candidate.Service
	s.UID, s.Type, s.ClusterIP, s.ExternalName = "UIDWORDS", "TYPEWORDS", "IPWORDS", "EXTERNALWORDS"
	s.Labels = map[string]string{"LABELKEYWORDS": "LABELWORDS"}
	s.Annotations = map[string]string{"ANNOTATIONKEYWORDS": "ANNOTATIONWORDS"}
	s.Selector = map[string]string{"SELECTORKEYWORDS": "SELECTORWORDS"}
	s.Ports = []backend.Port{{Name: "PORTWORDS", Number: 80, Protocol: "TCP", AppProtocol: "PROTOCOLWORDS"}}
	c := f.Candidate
	c.Instance = f.Namespace + "/INSTANCEWORDS"
	c.Port = s.Ports[0]
	c.Path, c.HealthPath, c.Description = "/PATHWORDS", "/HEALTHWORDS", "NOTEWORDS"
	c.Signs = []backend.Sign{{Code: backend.SignLabel, Key: "SIGNKEYWORDS", Value: "SIGNWORDS", Because: "SIGNREASONWORDS"}}
	c.PortReason.Value, c.PortReason.Because = "PORTVALUEWORDS", "PORTREASONWORDS"
	f.Reason.Value, f.Reason.Because, f.Warning.Value = "VERDICTVALUEWORDS", "VERDICTWORDS", "WARNINGWORDS"
	f.Reason.Host, f.Reason.Annotation = "REASONHOSTWORDS", "REASONANNOTATIONWORDS"
	f.Observation.Seen = seenWords("SEEN")
	f.Observation.Besides = []backend.Seen{seenWords("BESIDES")}
	f.Observation.Version, f.Observation.Cause = "VERSIONWORDS", "CAUSEWORDS"
	f.Observation.Warnings, f.Observation.Degraded = []string{"OBSERVEDWARNINGWORDS"}, "DEGRADEDWORDS"
	f.Observation.Requests = []backend.Request{{Purpose: "PURPOSEWORDS", URL: "URLWORDS", Seen: seenWords("REQUEST")}}
}

// seenWords has words of that beginning wherever a probe may enter what a stranger said.
func seenWords(what string) backend.Seen {
	words := func(part string) string { return what + part + "WORDS" }
	return backend.Seen{
		Value: words("VALUE"), Host: words("HOST"), Names: []string{words("NAME")}, Paths: []string{words("PATH")},
		Because: words("BECAUSE"), Answer: &backend.Answer{
			Path: words("ASKED"), Redirect: words("REDIRECT"), Title: words("TITLE"), Text: words("TEXT"),
			Challenge: words("CHALLENGE"), Lack: backend.Lack{Name: words("LACKNAME"), Value: words("LACKVALUE")},
		},
	}
}

// Which texts of strangers reach the agent, and where they stand; all others reach it nowhere.
func TestStrangersTexts(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-SEC-3")
	for name, tc := range map[string]struct {
		typ    string
		change []func(*backend.Finding)
		want   map[string][]string // the text -> where it stands
	}{
		"an API of its own": {
			"owntypewords", []func(*backend.Finding){own},
			map[string][]string{
				"SPACEWORDS":    {"config.endpoints.hosts", "description", "llm_instructions", "name"},
				"SERVICEWORDS":  {"config.endpoints.hosts", "description", "llm_instructions"},
				"INSTANCEWORDS": {"name"},
				"PATHWORDS":     {"config.endpoints.paths", "llm_instructions"},
				"NOTEWORDS":     {"llm_instructions"},
			},
		},
		"an HTTP toolset of the catalog": {
			"jaeger", nil,
			map[string][]string{
				"SPACEWORDS":    {"config.endpoints.hosts", "llm_instructions"},
				"SERVICEWORDS":  {"config.endpoints.hosts", "llm_instructions"},
				"INSTANCEWORDS": {"llm_instructions"},
				"PATHWORDS":     {"config.endpoints.paths", "llm_instructions"},
				"NOTEWORDS":     {"llm_instructions"},
			},
		},
		"an instance of a toolset of HolmesGPT's": {
			"prometheus", []func(*backend.Finding){unproven},
			map[string][]string{
				"SPACEWORDS":    {"config.instances.name", "config.instances.prometheus_url", "llm_instructions"},
				"SERVICEWORDS":  {"config.instances.prometheus_url"},
				"INSTANCEWORDS": {"config.instances.name", "llm_instructions"},
				"PATHWORDS":     {"config.instances.prometheus_url"},
				"NOTEWORDS":     {"llm_instructions"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(tc.typ, "SPACEWORDS/SERVICEWORDS", 80, append([]func(*backend.Finding){strangersTexts}, tc.change...)...)
			d := built(t, nil, f)
			got := map[string]map[string]bool{}
			enter := func(where, text string) {
				for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r < 'A' || r > 'Z' }) {
					if strings.HasSuffix(word, "WORDS") {
						if got[word] == nil {
							got[word] = map[string]bool{}
						}
						got[word][where] = true
					}
				}
				if strings.Contains(text, "typewords") {
					t.Errorf("%s tells the type: %s", where, text)
				}
			}
			for entry, tree := range d.HolmesGPT["toolsets"].(map[string]any) {
				enter("name", entry)
				walkStrings("", tree, func(path, text string) {
					for i := strings.IndexByte(path, '['); i >= 0; i = strings.IndexByte(path, '[') {
						path = path[:i] + path[i+strings.IndexByte(path[i:], ']')+1:]
					}
					enter(path, text)
				})
			}
			places := map[string][]string{}
			for word, where := range got {
				places[word] = slices.Sorted(maps.Keys(where))
			}
			if diff := cmp.Diff(tc.want, places); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// However long their names and paths are, the agent reads a bounded part of them in instructions and descriptions.
func TestWordsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-SEC-3")
	for _, typ := range []string{"wiki", "jaeger", "prometheus"} {
		t.Run(typ, func(t *testing.T) {
			var all []*backend.Finding
			word, path := strings.Repeat("w", 55), "/"+strings.Repeat("v", 120)
			for n := range 30 {
				for i := range 50 {
					f := found(typ, fmt.Sprintf("n%02d/%s%04d", n, word, i), 80, day(50*n+i+1), unproven, note("note"))
					f.Candidate.Custom = typ == "wiki"
					f.Candidate.Path = path
					all = append(all, f)
				}
			}
			d := built(t, []string{"n29"}, all...)
			count := func(namespace string) (n int) {
				for _, tree := range d.HolmesGPT["toolsets"].(map[string]any) {
					fields, _ := tree.(map[string]any)
					for _, field := range []string{"llm_instructions", "description"} {
						text, _ := fields[field].(string)
						for line := range strings.Lines(text) {
							if strings.Contains(line, namespace+"/") || namespace == "" {
								n += len(word)*strings.Count(line, word) + len(path)*strings.Count(line, path)
							}
						}
					}
				}
				return n
			}
			trusted := count("n29")
			// Notes name their Services too, within the bounds of notes.
			if n := count("") - trusted; n > 32<<10 || n == 0 {
				t.Errorf("names and paths of strangers take %d bytes", n)
			}
			if typ == "prometheus" {
				return // all in one text
			}
			if n := count("n00"); n > 4<<10 || n == 0 {
				t.Errorf("names and paths of one namespace take %d bytes", n)
			}
			if trusted < 50*55 {
				t.Errorf("those of a trusted namespace take %d bytes: not all are named", trusted)
			}
			if n := strings.Count(fmt.Sprint(d.HolmesGPT), unnamed); n == 0 {
				t.Error("nothing says where to look for the others")
			}
		})
	}
}

// A tenant's name counts like any other: what else is named of its namespace has less room.
func TestTenantsCountAsWords(t *testing.T) {
	t.Attr("req", "DTS-ANN-3 DTS-SEC-3")
	for _, size := range []int{1, 60} {
		var all []*backend.Finding
		for i := range 50 {
			f := found("loki", "evil/loki", 80, day(1))
			f.Candidate.Tenant, f.Candidate.TenantHeader = fmt.Sprintf("%s%02d", strings.Repeat("t", size), i), "X-Scope-OrgID"
			f.Candidate.Instance += "/" + f.Candidate.Tenant
			all = append(all, f)
		}
		all = append(all, found("jaeger", "evil/jaeger", 80, day(9)))
		if named := !strings.Contains(fmt.Sprint(built(t, nil, all...).HolmesGPT), unnamed); named != (size == 1) {
			t.Errorf("beside fifty tenants of %d letters another is named: %t", size, named)
		}
	}
}
