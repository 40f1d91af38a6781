package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	yaml "go.yaml.in/yaml/v3"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// What the readers of the shipped examples read: the fields of their configuration that are written.
type (
	kubernautAgent struct {
		Integrations struct {
			Tools struct {
				Prometheus, Alertmanager struct {
					URL string `yaml:"url"`
				}
			} `yaml:"tools"`
		} `yaml:"integrations"`
	}
	grafanaDatasources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name     string         `yaml:"name"`
			Type     string         `yaml:"type"`
			Access   string         `yaml:"access"`
			URL      string         `yaml:"url"`
			JSONData map[string]any `yaml:"jsonData"`
		} `yaml:"datasources"`
	}
	kiali struct {
		External struct {
			Prometheus struct {
				URL string `yaml:"url"`
			} `yaml:"prometheus"`
			Grafana struct {
				Enabled  bool   `yaml:"enabled"`
				Internal string `yaml:"internal_url"`
				External string `yaml:"external_url"`
			} `yaml:"grafana"`
			Tracing struct {
				Enabled  bool   `yaml:"enabled"`
				Provider string `yaml:"provider"`
				GRPC     *bool  `yaml:"use_grpc"`
				Internal string `yaml:"internal_url"`
				External string `yaml:"external_url"`
			} `yaml:"tracing"`
		} `yaml:"external_services"`
	}
)

// The shipped examples load, and what they write is what its reader reads, without a key that it does not know.
func TestExamplesOfKeys(t *testing.T) {
	t.Attr("req", "DTS-OUT-15")
	types, err := catalog.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var findings []*backend.Finding
	for _, typ := range []string{"prometheus", "alertmanager", "grafana", "tempo", "loki", "victoriametrics", "mimir"} {
		ref := backend.Ref{Namespace: "m", Name: typ}
		findings = append(findings, &backend.Finding{
			Ref: ref, Type: typ, Verdict: backend.Accepted, Primary: true, Link: "https://" + typ + ".example.com",
			Candidate: &backend.Candidate{
				Service: &backend.Service{Ref: ref, Created: time.Unix(0, 0)}, Type: typ, Instance: "m/" + typ,
				Host: typ + ".m.svc", Scheme: "http", PortNumber: 80,
			},
		})
	}
	read := func(name string, into any) {
		t.Helper()
		c, err := config.Load(filepath.Join("..", "..", "examples", "keys", name), nil)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := toolset.Build(findings, toolset.Options{Types: types.Types, Own: c.Output.Keys}, nil)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := doc.Keys()
		if err != nil {
			t.Fatal(err)
		}
		dec := yaml.NewDecoder(strings.NewReader(keys[name]))
		dec.KnownFields(true)
		if err := dec.Decode(into); err != nil {
			t.Errorf("%s: %v\n%s", name, err, keys[name])
		}
	}
	var agent kubernautAgent
	read("kubernaut-agent.yaml", &agent)
	if tools := agent.Integrations.Tools; tools.Prometheus.URL != "http://prometheus.m.svc:80" || tools.Alertmanager.URL != "http://alertmanager.m.svc:80" {
		t.Errorf("%+v", agent)
	}
	var sources grafanaDatasources
	read("grafana-datasources.yaml", &sources)
	if sources.APIVersion != 1 || len(sources.Datasources) != 6 {
		t.Errorf("%+v", sources)
	}
	for _, s := range sources.Datasources {
		_, service, _ := strings.Cut(s.Name, " m/")
		want := service // Grafana asks both of these as a Prometheus
		if service == "victoriametrics" || service == "mimir" {
			want = "prometheus"
		}
		if s.URL != "http://"+service+".m.svc:80" || s.Type != want || s.Access != "proxy" || s.Name == "" {
			t.Errorf("%+v", s)
		}
	}
	var k kiali
	read("kiali.yaml", &k)
	e := k.External
	if e.Prometheus.URL != "http://prometheus.m.svc:80" || !e.Grafana.Enabled || e.Grafana.Internal != "http://grafana.m.svc:80" ||
		e.Grafana.External != "https://grafana.example.com" || e.Tracing.Internal != "http://tempo.m.svc:80" ||
		e.Tracing.Provider != "tempo" || e.Tracing.GRPC == nil || *e.Tracing.GRPC {
		t.Errorf("%+v", k)
	}
}
