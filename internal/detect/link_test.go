package detect

import (
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// A link leads people, who trust what the agent shows. Outside the trusted namespaces it leads to the hosts that the configuration
// allows, and to the ports that belong to its scheme.
func TestLinkAnnotation(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-ANN-1")
	const bad, host, unsafe = backend.CodeAnnotationLink, backend.CodeAnnotationLinkHost, backend.CodeAnnotationUnsafe
	d := detectorWith(t, Options{AllowedLinkHosts: []string{"logs.example.com", "logs.example.com:8443", "fd00::1"}})
	tests := map[string]struct {
		namespace, value string
		link             string
		code             backend.Code
	}{
		"an allowed host":             {value: "https://logs.example.com", link: "https://logs.example.com"},
		"its path is kept":            {value: "https://logs.example.com/loki/", link: "https://logs.example.com/loki"},
		"plain HTTP":                  {value: "http://logs.example.com", link: "http://logs.example.com"},
		"letters' case":               {value: "https://LOGS.example.com/Loki", link: "https://logs.example.com/Loki"},
		"the scheme's own port":       {value: "https://logs.example.com:443", link: "https://logs.example.com"},
		"an allowed port":             {value: "https://logs.example.com:8443/x", link: "https://logs.example.com:8443/x"},
		"an allowed address":          {value: "https://[fd00::1]/", link: "https://[fd00::1]"},
		"another port":                {value: "https://logs.example.com:31234", code: host},
		"the other scheme's port":     {value: "https://logs.example.com:80", code: host},
		"another host":                {value: "https://logs.example.org", code: host},
		"a host below":                {value: "https://x.logs.example.com", code: host},
		"a host that begins alike":    {value: "https://logs.example.com.evil.org", code: host},
		"trusted: any host":           {namespace: "trusted", value: "https://any.example.org:31234/x", link: "https://any.example.org:31234/x"},
		"trusted: no URL":             {namespace: "trusted", value: "any.example.org", code: bad},
		"a user that looks like host": {value: "https://logs.example.com@evil.org", code: unsafe},
		"a user in trusted":           {namespace: "trusted", value: "https://user:secret@any.example.org", code: unsafe},
		"a script":                    {value: "javascript:alert(1)//logs.example.com", code: bad},
		"a query":                     {value: "https://logs.example.com/?next=https://evil.org", code: bad},
		"an empty query":              {value: "https://logs.example.com/?", code: bad},
		"a fragment":                  {value: "https://logs.example.com/#x", code: bad},
		"dots in the path":            {value: "https://logs.example.com/a/../b", code: bad},
		"an escape in the path":       {value: "https://logs.example.com/%2e%2e", code: bad},
		"markup":                      {value: `https://logs.example.com/"><script>`, code: bad},
		"a backslash":                 {value: `https://logs.example.com\@evil.org`, code: bad},
		"another script's letters":    {namespace: "trusted", value: "https://grаfana.example.com", code: bad},
		"no host":                     {namespace: "trusted", value: "https:///x", code: bad},
		"no port behind the colon":    {value: "https://logs.example.com:", code: bad},
		"nothing":                     {code: bad},
		"a template":                  {value: "https://logs.example.com/{{ env.HOME }}", code: unsafe},
		"a long path":                 {value: "https://logs.example.com/" + strings.Repeat("x", 200), code: bad},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := annotated("toolset", "true", "toolset-type", "loki", "toolset-port", "http", "toolset-link", tt.value)
			if tt.namespace != "" {
				s.Namespace = tt.namespace
			}
			r := d.Detect(s, nil)
			if r.Rejected.Code != tt.code {
				t.Fatalf("rejected for %q, want %q: %s", r.Rejected.Code, tt.code, said(s, r.Rejected))
			}
			switch {
			case tt.code != "" && len(r.Candidates) > 0:
				t.Error("a Service with a bad link is a candidate")
			case tt.code == "" && r.Candidates[0].Link != tt.link:
				t.Errorf("link %q, want %q", r.Candidates[0].Link, tt.link)
			}
		})
	}
}
