package links

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
)

// grafana has a port http (80, on the pods 3000) and a port metrics (9090).
func grafana() *backend.Candidate {
	ports := []backend.Port{
		{Name: "http", Number: 80, Protocol: "TCP", Target: intstr.FromInt32(3000)},
		{Name: "metrics", Number: 9090, Protocol: "TCP", Target: intstr.FromString("prom")},
	}
	s := &backend.Service{Ref: backend.Ref{Namespace: "mon", Name: "grafana"}, Ports: ports}
	return &backend.Candidate{Service: s, Type: "grafana", Port: ports[0], PortNumber: 80}
}

const all = "*"

// chosen is the link to Grafana that the objects give, of the hosts that are allowed.
func chosen(t *testing.T, objects, path, typ string, allowed ...string) string {
	t.Helper()
	link, _ := looked(t, objects, path, typ, allowed...)
	return link
}

// builtinCatalog is read once: the tests look often.
var builtinCatalog = sync.OnceValues(catalog.Builtin)

// looked is chosen, with what gives no link.
func looked(t *testing.T, objects, path, typ string, allowed ...string) (string, []backend.Exposure) {
	t.Helper()
	builtin, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	from := From{Kinds: Kinds([]string{"ingress", "httproute", "route"}), Allows: func(namespace, host string) bool {
		return namespace == "mon" && (slices.Contains(allowed, all) || slices.Contains(allowed, host))
	}}
	var ways []backend.Exposure
	for text := range strings.SplitSeq(objects, "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(text), &o); err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		for _, k := range from.Kinds {
			if o["kind"] == k.Kind {
				services, _ := from.Read(k, "mon", Unstructured(o)) // nothing of what is no object
				ways = append(ways, services["grafana"]...)
			}
		}
	}
	first, none := Choose(ways, grafana(), builtin.Lookup(typ), path)
	random := rand.New(rand.NewPCG(1, uint64(len(objects))))
	for range 5 { // in whatever order they were seen
		random.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
		if again, noneAgain := Choose(ways, grafana(), builtin.Lookup(typ), path); again != first || !slices.Equal(none, noneAgain) {
			t.Errorf("once %q and %v, then %q and %v", first, none, again, noneAgain)
		}
	}
	return first, none
}

// ingress is one with what is given of its spec, and with annotations.
func ingress(spec string, annotations ...string) string {
	text := "kind: Ingress\nmetadata: {name: i, namespace: mon, annotations: {"
	for i := 0; i < len(annotations); i += 2 {
		text += `"` + annotations[i] + `": "` + annotations[i+1] + `", `
	}
	return text + "}}\nspec: {" + spec + "}"
}

// to is a rule of an Ingress: a host, and a path to a port of Grafana's.
func to(host, path, port string) string {
	return "{host: " + host + ", http: {paths: [{path: \"" + path + "\", pathType: Prefix, backend: {service: {name: grafana, port: {" + port + "}}}}]}}"
}

const (
	web = "number: 80"
	tls = "tls: [{hosts: [g.example.com], secretName: x}], "
)

func TestIngress(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	plain := "rules: [" + to("g.example.com", "/", web) + "]"
	tests := map[string]struct {
		objects string
		path    string // of the backend
		typ     string
		want    string
	}{
		"without TLS":               {objects: ingress(plain), want: "http://g.example.com"},
		"with TLS":                  {objects: ingress(tls + plain), want: "https://g.example.com"},
		"TLS for another host":      {objects: ingress(`tls: [{hosts: [x.example.com]}], ` + plain), want: "http://g.example.com"},
		"TLS for the domain":        {objects: ingress(`tls: [{hosts: ["*.example.com"]}], ` + plain), want: "https://g.example.com"},
		"TLS for the parent domain": {objects: ingress(`tls: [{hosts: ["*.com"]}], ` + plain), want: "http://g.example.com"},
		"TLS for any host":          {objects: ingress(`tls: [{secretName: x}], ` + plain), want: "https://g.example.com"},
		"TLS at the load balancer":  {objects: ingress(plain, "alb.ingress.kubernetes.io/certificate-arn", "arn:x"), want: "https://g.example.com"},
		"only ports with TLS":       {objects: ingress(plain, "alb.ingress.kubernetes.io/listen-ports", `[{\"HTTPS\":443}, {\"HTTPS\": 8443}]`), want: "https://g.example.com"},
		"ports with and without":    {objects: ingress(plain, "alb.ingress.kubernetes.io/listen-ports", `[{\"HTTP\": 80}, {\"HTTPS\": 443}]`), want: "http://g.example.com"},
		"an entry point with TLS":   {objects: ingress(plain, "traefik.ingress.kubernetes.io/router.entrypoints", "websecure"), want: "https://g.example.com"},
		"entry points with TLS":     {objects: ingress(plain, "traefik.ingress.kubernetes.io/router.entrypoints", "https, websecure"), want: "https://g.example.com"},
		"entry points of both":      {objects: ingress(plain, "traefik.ingress.kubernetes.io/router.entrypoints", "web,websecure"), want: "http://g.example.com"},
		"always sent to TLS":        {objects: ingress(plain, "nginx.ingress.kubernetes.io/force-ssl-redirect", "true"), want: "https://g.example.com"},
		"several hosts, one of TLS": {objects: ingress(tls + "rules: [" + to("a.example.com", "/", web) + ", " + to("g.example.com", "/", web) + "]"), want: "https://g.example.com"},
		"several hosts":             {objects: ingress("rules: [" + to("gg.example.com", "/", web) + ", " + to("b.example.com", "/", web) + ", " + to("a.example.com", "/", web) + "]"), want: "http://a.example.com"},

		"a path is kept":                  {objects: ingress(tls + "rules: [" + to("g.example.com", "/grafana", web) + "]"), want: "https://g.example.com/grafana"},
		"a path that ends in a slash":     {objects: ingress(tls + "rules: [" + to("g.example.com", "/grafana/", web) + "]"), want: "https://g.example.com/grafana"},
		"a path, and the backend below":   {objects: ingress(tls + "rules: [" + to("g.example.com", "/tools", web) + "]"), path: "/tools/grafana", want: "https://g.example.com/tools/grafana"},
		"the root, and the backend below": {objects: ingress(tls + plain), path: "/grafana", want: "https://g.example.com/grafana"},
		"a cloud's path for all":          {objects: ingress(`rules: [{host: g.example.com, http: {paths: [{path: "/*", pathType: ImplementationSpecific, backend: {service: {name: grafana, port: {number: 80}}}}]}}]`), want: "http://g.example.com"},
		"a cloud's path below":            {objects: ingress("rules: [" + to("g.example.com", "/grafana/*", web) + "]"), want: "http://g.example.com/grafana"},
		"no path":                         {objects: ingress(`rules: [{host: g.example.com, http: {paths: [{pathType: Prefix, backend: {service: {name: grafana, port: {number: 80}}}}]}}]`), want: "http://g.example.com"},
		"dots in a path":                  {objects: ingress("rules: [" + to("g.example.com", "/a/../b", web) + "]")},
		"a template in a path":            {objects: ingress("rules: [" + to("g.example.com", "/{{ env.X }}", web) + "]")},

		"rewritten by NGINX Inc.":     {objects: ingress(plain, "nginx.org/rewrites", "serviceName=grafana rewrite=/x/")},
		"rewritten by HAProxy":        {objects: ingress(plain, "haproxy.org/path-rewrite", "/x")},
		"rewritten by Azure":          {objects: ingress(plain, "appgw.ingress.kubernetes.io/backend-path-prefix", "/x")},
		"rewritten by Amazon":         {objects: ingress(plain, "alb.ingress.kubernetes.io/transforms.grafana", "[]")},
		"redirected":                  {objects: ingress(plain, "nginx.ingress.kubernetes.io/permanent-redirect", "https://evil.org")},
		"a canary":                    {objects: ingress(plain, "nginx.ingress.kubernetes.io/canary", "true")},
		"to HTTPS is no rewriting":    {objects: ingress(plain, "nginx.ingress.kubernetes.io/ssl-redirect", "true"), want: "http://g.example.com"},
		"switched off":                {objects: ingress(plain, "nginx.ingress.kubernetes.io/canary", "false"), want: "http://g.example.com"},
		"middleware at the root":      {objects: ingress(plain, "traefik.ingress.kubernetes.io/router.middlewares", "mon-auth@kubernetescrd"), want: "http://g.example.com"},
		"middleware below, may strip": {objects: ingress("rules: ["+to("g.example.com", "/grafana", web)+"]", "traefik.ingress.kubernetes.io/router.middlewares", "mon-strip@kubernetescrd")},
		"Kong takes the path off":     {objects: ingress("rules: ["+to("g.example.com", "/grafana", web)+"]", "konghq.com/strip-path", "true")},
		"Kong does not":               {objects: ingress("rules: ["+to("g.example.com", "/grafana", web)+"]", "konghq.com/strip-path", "false"), want: "http://g.example.com/grafana"},
		"a snippet of configuration":  {objects: ingress("rules: ["+to("g.example.com", "/grafana", web)+"]", "nginx.ingress.kubernetes.io/configuration-snippet", "rewrite a b;")},

		"redirected by HAProxy Technologies": {objects: ingress(plain, "haproxy.org/request-redirect", "evil.org")},
		"redirected by HAProxy Ingress":      {objects: ingress(plain, "haproxy-ingress.github.io/redirect-to", "https://evil.org")},
		"redirected by APISIX":               {objects: ingress(plain, "k8s.apisix.apache.org/http-redirect", "https://evil.org")},
		"redirected by Traefik 1":            {objects: ingress(plain, "traefik.ingress.kubernetes.io/redirect-replacement", "https://evil.org")},
		"a redirect's code alone":            {objects: ingress(plain, "nginx.org/http-redirect-code", "308"), want: "http://g.example.com"},
		"redirected from another host":       {objects: ingress(plain, "haproxy-ingress.github.io/redirect-from", "old.example.com"), want: "http://g.example.com"},
		"a condition of Amazon's":            {objects: ingress(plain, "alb.ingress.kubernetes.io/conditions.grafana", "[{}]")},
		"a condition of another Service's":   {objects: ingress(plain, "alb.ingress.kubernetes.io/conditions.shop", "[{}]"), want: "http://g.example.com"},
		"a header for HAProxy Ingress":       {objects: ingress(plain, "haproxy-ingress.github.io/http-header-match", "x: y")},
		"a regular expression of Kong's":     {objects: ingress("rules: [" + to("g.example.com", "/~/grafana", web) + "]")},
		"TLS by one annotation of several": {objects: ingress(plain, "alb.ingress.kubernetes.io/certificate-arn", "", "networking.gke.io/certmap", "",
			"nginx.ingress.kubernetes.io/force-ssl-redirect", "true", "traefik.ingress.kubernetes.io/router.tls", "false"), want: "https://g.example.com"},

		"a named port":                 {objects: ingress("rules: [" + to("g.example.com", "/", "name: http") + "]"), want: "http://g.example.com"},
		"another number":               {objects: ingress("rules: [" + to("g.example.com", "/", "number: 9090") + "]")},
		"the pods' number":             {objects: ingress("rules: [" + to("g.example.com", "/", "number: 3000") + "]")},
		"no port":                      {objects: ingress("rules: [" + to("g.example.com", "/", "") + "]")},
		"another Service":              {objects: strings.ReplaceAll(ingress(plain), "name: grafana", "name: shop")},
		"another Service's path":       {objects: ingress(`rules: [{host: g.example.com, http: {paths: [{path: /shop, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}, {path: /grafana, pathType: Prefix, backend: {service: {name: grafana, port: {number: 80}}}}]}}]`), want: "http://g.example.com/grafana"},
		"a backend that is no Service": {objects: ingress(`rules: [{host: g.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {resource: {kind: Bucket, name: grafana}}}]}}]`)},

		"two: the one with TLS": {objects: ingress("rules: ["+to("a.example.com", "/", web)+"]") + "\n---\n" + ingress(tls+"rules: ["+to("g.example.com", "/long/path", web)+"]"), want: "https://g.example.com/long/path"},
		"two: the shorter path": {objects: ingress("rules: ["+to("a.example.com", "/x/y", web)+"]") + "\n---\n" + ingress("rules: ["+to("longer.example.com", "/x", web)+"]"), want: "http://longer.example.com/x"},
		"two: the shorter host": {objects: ingress("rules: ["+to("longer.example.com", "/", web)+"]") + "\n---\n" + ingress("rules: ["+to("g.example.com", "/", web)+"]"), want: "http://g.example.com"},

		"a list where a text belongs": {objects: "kind: Ingress\nspec: {rules: [{host: [g.example.com]}]}"},
		"a text where a list belongs": {objects: "kind: Ingress\nspec: {rules: x}"},
		"nothing":                     {objects: "kind: Ingress\nspec: null"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.typ == "" {
				tt.typ = "grafana"
			}
			if got := chosen(t, tt.objects, tt.path, tt.typ, all); got != tt.want {
				t.Errorf("link %q, want %q, of\n%s", got, tt.want, tt.objects)
			}
		})
	}
}

func TestHTTPRoute(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	route := func(rule string, more ...string) string {
		spec := "parentRefs: [{name: gw}], hostnames: [g.example.com]"
		status := ""
		if len(more) > 0 && more[0] != "" {
			spec = more[0]
		}
		if len(more) > 1 {
			status = "\nstatus: {parents: [" + more[1] + "]}"
		}
		return "kind: HTTPRoute\nmetadata: {name: r, namespace: mon}\nspec: {" + spec + ", rules: [" + rule + "]}" + status
	}
	const backends = "backendRefs: [{name: grafana, port: 80}]"
	below := func(path string) string {
		return "{matches: [{path: {type: PathPrefix, value: " + path + "}}], " + backends + "}"
	}
	accepted := func(status string) string { return "{conditions: [{type: Accepted, status: \"" + status + "\"}]}" }
	tests := map[string]struct{ objects, want string }{
		"a host":                      {route("{" + backends + "}"), "https://g.example.com"},
		"several hosts":               {route("{"+backends+"}", "parentRefs: [{name: gw}], hostnames: [b.example.com, a.example.com]"), "https://a.example.com"},
		"a host for all":              {route("{"+backends+"}", `parentRefs: [{name: gw}], hostnames: ["*.example.com"]`), ""},
		"a path":                      {route(below("/grafana")), "https://g.example.com/grafana"},
		"no path":                     {route("{matches: [{}], " + backends + "}"), "https://g.example.com"},
		"a regular expression":        {route("{matches: [{path: {type: RegularExpression, value: /grafana}}], " + backends + "}"), ""},
		"only with a query":           {route("{matches: [{queryParams: [{name: x, value: y}]}], " + backends + "}"), ""},
		"only one method":             {route("{matches: [{method: GET}], " + backends + "}"), ""},
		"several matches":             {route("{matches: [{method: POST}, {path: {value: /x/y}}, {path: {value: /x}}], " + backends + "}"), "https://g.example.com/x"},
		"rewritten at the backend":    {route("{backendRefs: [{name: grafana, port: 80, filters: [{type: URLRewrite}]}]}"), ""},
		"redirected":                  {route("{filters: [{type: RequestRedirect}], " + backends + "}"), ""},
		"a header is added":           {route("{filters: [{type: RequestHeaderModifier}], " + backends + "}"), "https://g.example.com"},
		"an extension at the root":    {route("{filters: [{type: ExtensionRef}], " + backends + "}"), "https://g.example.com"},
		"an extension below":          {route("{matches: [{path: {value: /x}}], filters: [{type: ExtensionRef}], " + backends + "}"), ""},
		"another port":                {route("{backendRefs: [{name: grafana, port: 9090}]}"), ""},
		"no port":                     {route("{backendRefs: [{name: grafana}]}"), ""},
		"another Service":             {route("{backendRefs: [{name: shop, port: 80}]}"), ""},
		"of its own namespace":        {route("{backendRefs: [{name: grafana, namespace: mon, port: 80}]}"), "https://g.example.com"},
		"no Service":                  {route("{backendRefs: [{name: grafana, kind: Bucket, group: x.io, port: 80}]}"), ""},
		"the other gets nothing":      {route("{backendRefs: [{name: grafana, port: 80, weight: 1}, {name: canary, port: 80, weight: 0}]}"), "https://g.example.com"},
		"gets nothing":                {route("{backendRefs: [{name: grafana, port: 80, weight: 0}]}"), ""},
		"a redirect beside it":        {route("{matches: [{path: {value: /}}], filters: [{type: RequestRedirect}]}, " + below("/grafana")), "https://g.example.com/grafana"},
		"a listener on port 80":       {route("{"+backends+"}", "parentRefs: [{name: gw, port: 80}], hostnames: [g.example.com]"), "http://g.example.com"},
		"a listener called http":      {route("{"+backends+"}", "parentRefs: [{name: gw, sectionName: http}], hostnames: [g.example.com]"), "http://g.example.com"},
		"a listener called https":     {route("{"+backends+"}", "parentRefs: [{name: gw, sectionName: https-main}], hostnames: [g.example.com]"), "https://g.example.com"},
		"listeners of both":           {route("{"+backends+"}", "parentRefs: [{name: gw, sectionName: http}, {name: gw, sectionName: https}], hostnames: [g.example.com]"), "https://g.example.com"},
		"no parent":                   {route("{"+backends+"}", "hostnames: [g.example.com]"), ""},
		"accepted":                    {route("{"+backends+"}", "", accepted("True")), "https://g.example.com"},
		"refused, as by the listener": {route("{"+backends+"}", "", accepted("False")), ""},
		"accepted by one of two":      {route("{"+backends+"}", "", accepted("False")+", "+accepted("True")), "https://g.example.com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := chosen(t, tt.objects, "", "grafana", all); got != tt.want {
				t.Errorf("link %q, want %q, of\n%s", got, tt.want, tt.objects)
			}
		})
	}
}

func TestRoute(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	route := func(spec string) string {
		return "kind: Route\nmetadata: {name: r}\nspec: {host: g.example.com, " + spec + "}"
	}
	const own = "to: {kind: Service, name: grafana, weight: 100}, port: {targetPort: http}"
	tests := map[string]struct{ objects, want string }{
		"without TLS":               {route(own), "http://g.example.com"},
		"edge":                      {route(own + ", tls: {termination: edge}"), "https://g.example.com"},
		"passthrough":               {route(own + ", tls: {termination: passthrough}"), "https://g.example.com"},
		"a path":                    {route(own + ", path: /grafana, tls: {}"), "https://g.example.com/grafana"},
		"no wildcard":               {route(own + ", wildcardPolicy: None"), "http://g.example.com"},
		"no host":                   {"kind: Route\nspec: {" + own + "}", ""},
		"another named port":        {route("to: {name: grafana}, port: {targetPort: metrics}"), ""},
		"the pods' number":          {route("to: {name: grafana}, port: {targetPort: 3000}"), "http://g.example.com"},
		"another number":            {route("to: {name: grafana}, port: {targetPort: 80}"), ""},
		"no port, of two":           {route("to: {name: grafana}"), ""},
		"another Service":           {route("to: {name: shop}, port: {targetPort: http}"), ""},
		"the other gets nothing":    {route(own + ", alternateBackends: [{kind: Service, name: canary, weight: 0}]"), "http://g.example.com"},
		"gets nothing":              {route("to: {name: grafana, weight: 0}, port: {targetPort: http}"), ""},
		"all goes to the other":     {route("to: {name: old, weight: 0}, alternateBackends: [{name: grafana, weight: 1}], port: {targetPort: http}"), "http://g.example.com"},
		"rewritten":                 {"kind: Route\nmetadata: {annotations: {haproxy.router.openshift.io/rewrite-target: /}}\nspec: {host: g.example.com, " + own + "}", ""},
		"admitted":                  {route(own) + "\nstatus: {ingress: [{conditions: [{type: Admitted, status: \"True\"}]}]}", "http://g.example.com"},
		"two, one with TLS":         {route(own) + "\n---\n" + strings.Replace(route(own+", tls: {}"), "g.example", "longer.example", 1), "https://longer.example.com"},
		"a Route before an Ingress": {route(own+", tls: {}") + "\n---\n" + ingress("rules: ["+to("g.example.com", "/", web)+"]"), "https://g.example.com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := chosen(t, tt.objects, "", "grafana", all); got != tt.want {
				t.Errorf("link %q, want %q, of\n%s", got, tt.want, tt.objects)
			}
		})
	}
}

// Who may write an Ingress chooses its host. What the agent shows people leads only where the admin lets it.
func TestStrangersHosts(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	objects := ingress("rules: ["+to("grafana.company.com", "/", web)+", "+to("evil.example.org", "/", web)+"]") +
		"\n---\nkind: Route\nspec: {host: grafana.company.com.evil.org, tls: {}, to: {name: grafana}, port: {targetPort: http}}"
	for _, tt := range []struct {
		allowed []string
		want    string
	}{
		{nil, ""},
		{[]string{"logs.company.com"}, ""},
		{[]string{"grafana.company.com"}, "http://grafana.company.com"},
		{[]string{all}, "https://grafana.company.com.evil.org"}, // a trusted namespace
	} {
		if got := chosen(t, objects, "", "grafana", tt.allowed...); got != tt.want {
			t.Errorf("allowed %q: link %q, want %q", tt.allowed, got, tt.want)
		}
	}
}

// An object as large as the API server takes says no more than a bounded number of things, each once.
func TestObjectsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-SEC-3")
	var rules []any
	for i := range 5000 {
		host := "a" + strings.Repeat("x", i%50) + ".example.com"
		path := map[string]any{"path": "/p" + strings.Repeat("y", i/50), "backend": map[string]any{"service": map[string]any{
			"name": "grafana", "port": map[string]any{"number": int64(80)},
		}}}
		rule := map[string]any{"host": host, "http": map[string]any{"paths": []any{path}}}
		rules = append(rules, rule, rule)
	}
	from := From{Kinds: Kinds([]string{"ingress"}), Allows: func(string, string) bool { return true }}
	services, err := from.Read(from.Kinds[0], "mon", Unstructured(map[string]any{"kind": "Ingress", "spec": map[string]any{"rules": rules}}))
	if err != nil {
		t.Fatal(err)
	}
	ways := services["grafana"]
	if len(ways) != maxWays {
		t.Errorf("%d ways, want %d", len(ways), maxWays)
	}
	seen := map[backend.Exposure]bool{}
	for _, w := range ways {
		if seen[w] {
			t.Errorf("twice: %v", w)
		}
		seen[w] = true
	}
}

// Only what the configuration names is read.
func TestKinds(t *testing.T) {
	t.Attr("req", "DTS-OUT-13")
	var got []string
	for _, k := range Kinds([]string{"route", "ingress"}) {
		got = append(got, k.Name+" "+k.GVR().String())
	}
	want := []string{"ingress networking.k8s.io/v1, Resource=ingresses", "route route.openshift.io/v1, Resource=routes"}
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(Kinds(nil)) > 0 {
		t.Error("something is read though nothing is named")
	}
}

// What leads to a backend and gives no link says why, as far as it is of the Service.
func TestWhyThereIsNoLink(t *testing.T) {
	t.Attr("req", "DTS-OUT-13 DTS-CLI-4")
	rule := func(host, path, rest string) string {
		return "rules: [{host: " + host + ", http: {paths: [{path: " + path + ", " + rest + "backend: {service: {name: grafana, port: {name: http}}}}]}}]"
	}
	route := func(spec string) string {
		return "kind: Route\nspec: {to: {kind: Service, name: grafana}, " + spec + "}"
	}
	http := func(spec, rule string) string {
		return "kind: HTTPRoute\nspec: {" + spec + ", rules: [{backendRefs: [{name: grafana, port: 80}], " + rule + "}]}"
	}
	const host, gateway = "host: g.example.com, port: {targetPort: http}", "hostnames: [g.example.com], parentRefs: [{name: gw}]"
	for name, tt := range map[string]struct {
		object, path, typ string
		want              backend.NoLink
	}{
		"an Ingress without a host":  {object: ingress("rules: [{http: {paths: [{path: /, backend: {service: {name: grafana, port: {number: 80}}}}]}}]"), want: backend.NoLinkHost},
		"the default of an Ingress":  {object: ingress("defaultBackend: {service: {name: grafana, port: {number: 80}}}"), want: backend.NoLinkHost},
		"a wildcard":                 {object: ingress(rule("\"*.example.com\"", "/", "")), want: backend.NoLinkHost},
		"no host that is one":        {object: ingress(rule("\"<b>\"", "/", "")), want: backend.NoLinkHost},
		"another's host":             {object: ingress(rule("evil.example.org", "/", "")), want: backend.NoLinkNotAllowed},
		"an exact path":              {object: ingress(rule("g.example.com", "/", "pathType: Exact, ")), want: backend.NoLinkPath},
		"a regular expression":       {object: ingress(rule("g.example.com", "/g(/|$)(.*)", "")), want: backend.NoLinkPath},
		"rewritten":                  {object: strings.Replace(ingress(rule("g.example.com", "/", "")), "annotations: {}", "annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}", 1), want: backend.NoLinkRewritten},
		"for a header":               {object: strings.Replace(ingress(rule("g.example.com", "/", "")), "annotations: {}", "annotations: {konghq.com/headers.a: b}", 1), want: backend.NoLinkMatch},
		"another port":               {object: strings.Replace(ingress(rule("g.example.com", "/", "")), "name: http", "name: metrics", 1), want: backend.NoLinkPort},
		"elsewhere":                  {object: ingress(rule("g.example.com", "/shop", "")), path: "/grafana", want: backend.NoLinkElsewhere},
		"a part":                     {object: ingress(rule("g.example.com", "/loki/api/v1/push", "")), typ: "loki", want: backend.NoLinkPart},
		"a Route's wildcard":         {object: route(host + ", wildcardPolicy: Subdomain"), want: backend.NoLinkHost},
		"a Route with two":           {object: route(host + ", alternateBackends: [{kind: Service, name: shop, weight: 1}]"), want: backend.NoLinkShared},
		"a Route not admitted":       {object: route(host) + "\nstatus: {ingress: [{conditions: [{type: Admitted, status: \"False\"}]}]}", want: backend.NoLinkNotAdmitted},
		"an HTTPRoute with a match":  {object: http(gateway, "matches: [{headers: [{name: a, value: b}]}]"), want: backend.NoLinkMatch},
		"an exact HTTPRoute":         {object: http(gateway, "matches: [{path: {type: Exact, value: /}}]"), want: backend.NoLinkPath},
		"an HTTPRoute that rewrites": {object: http(gateway, "filters: [{type: URLRewrite}]"), want: backend.NoLinkRewritten},
		"an HTTPRoute of a mesh":     {object: http("hostnames: [g.example.com], parentRefs: [{kind: Service, name: gw}]", ""), want: backend.NoLinkNoGateway},
		"an HTTPRoute for any host":  {object: http("parentRefs: [{name: gw}]", ""), want: backend.NoLinkHost},
		"an HTTPRoute to two":        {object: strings.Replace(http(gateway, ""), "port: 80}", "port: 80}, {name: shop, port: 1}", 1), want: backend.NoLinkShared},
		"a link":                     {object: ingress(rule("g.example.com", "/", ""))},
		"another Service":            {object: strings.Replace(ingress(rule("\"*.example.com\"", "/", "")), "name: grafana", "name: shop", 1)},
		"of another namespace":       {object: strings.Replace(http(gateway, ""), "name: grafana", "namespace: shop, name: grafana", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			link, none := looked(t, tt.object, tt.path, cmp.Or(tt.typ, "grafana"), "g.example.com")
			var got backend.NoLink
			if len(none) > 0 {
				got = none[0].Not
			}
			if got != tt.want || len(none) > 1 || got != "" && link != "" {
				t.Errorf("link %q, and %v, want %q, of\n%s", link, none, tt.want, tt.object)
			}
			if len(none) > 0 && strings.Contains(none[0].Host, "<") {
				t.Errorf("a stranger's text is kept: %q", none[0].Host)
			}
		})
	}
	own := grafana()
	own.ForeignHost = true
	way := backend.Exposure{Port: "http", Scheme: "https", Host: "g.example.com"}
	if link, none := Choose([]backend.Exposure{way}, own, nil, ""); link != "" || len(none) != 1 || none[0].Not != backend.NoLinkForeign {
		t.Errorf("to another host: %q, %v", link, none)
	}
}
