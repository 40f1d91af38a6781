package toolset

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// HolmesGPT sends what stands at the top of an HTTP toolset to all its endpoints, of which anybody's Service may be one.
func TestCredentialAtTheTopOfHTTP(t *testing.T) {
	t.Attr("req", "DTS-OUT-6 DTS-OUT-12 DTS-SEC-3")
	const header = `default_headers: {Authorization: "Bearer {{ env.TOKEN }}"}`
	ours := found("jaeger", "ours/j", 16686, vouched, entitled)
	keyed := found("jaeger", "ours/j", 16686, vouched, entitled, credentials("token", "OTHER"))
	evil := found("jaeger", "evil/j", 16686, primary)
	const oursURL = "http://j.ours.svc.cluster.local:16686"
	for name, tt := range map[string]struct {
		findings []*backend.Finding
		config   string
		want     []string // who has TOKEN
		warned   bool
	}{
		"the only one":             {[]*backend.Finding{evil}, header, nil, true},
		"an unproven one":          {[]*backend.Finding{found("jaeger", "evil/j", 16686, unproven)}, header, nil, true},
		"ours":                     {[]*backend.Finding{ours}, header, []string{"jaeger"}, false},
		"ours and another":         {[]*backend.Finding{ours, evil}, header, []string{oursURL}, false},
		"ours has its own":         {[]*backend.Finding{keyed, evil}, header, nil, false},
		"there is none":            {nil, header, nil, true},
		"headers of the request":   {[]*backend.Finding{ours, evil}, `extra_headers: {X-Key: "{{ env.TOKEN }}{{ request_context.x }}"}`, nil, true},
		"rendered headers":         {[]*backend.Finding{ours, evil}, `extra_headers: {X-Key: "{{ env.TOKEN }}"}`, []string{oursURL}, false},
		"two headers":              {[]*backend.Finding{ours, evil}, `default_headers: {A: "{{ env.TOKEN }}", B: b}`, nil, true},
		"a certificate":            {[]*backend.Finding{ours, evil}, `client_cert_path: "/{{ env.TOKEN }}"`, nil, true},
		"a certificate of ours":    {[]*backend.Finding{ours}, `client_cert_path: "/{{ env.TOKEN }}"`, []string{"jaeger"}, false},
		"the admin's own endpoint": {[]*backend.Finding{evil}, header + ", endpoints: [{hosts: ['https://j.example.com']}]", []string{"jaeger"}, false},
	} {
		for _, old := range []*Overrides{nil, parse(t, "toolsets: {jaeger: {config: {"+header+"}}}")} {
			d := accepted(t, tt.findings, "toolsets: {jaeger: {config: {timeout_seconds: 7, "+tt.config+"}}}", old)
			if diff := cmp.Diff(tt.want, who(d)); diff != "" {
				t.Errorf("%s: who has the credential (-want +got):\n%s", name, diff)
			}
			if got := strings.Contains(brief(d.Warnings), string(WarningCredentialWithheld)); got != tt.warned {
				t.Errorf("%s: warnings %q", name, brief(d.Warnings))
			}
			if got := fmt.Sprint(configOf(entryOf(d, "jaeger"))["timeout_seconds"]); got != "7" {
				t.Errorf("%s: what is no credential is lost: %s", name, got)
			}
		}
	}
	text := "toolsets: {jaeger: {config: {" + header + "}}}"
	if _, err := with(t, []*backend.Finding{evil, found("jaeger", "a/j", 16686)}, text, nil); err == nil {
		t.Error("a new text gives a credential to two instances")
	}
	d, err := with(t, []*backend.Finding{found("kibana", "evil/k", 5601, unverified)}, strings.Replace(text, "jaeger:", "kibana/unverified:", 1), nil)
	if err != nil || len(who(d)) > 0 {
		t.Errorf("%v: an unverified one has the credential: %q", err, who(d))
	}
}
