package inventory_test

import (
	"net/netip"
	"strings"
	"testing"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/inventory"
	"kubernaut.io/dynamic-toolset/internal/view"
)

// fronted is a Service with its EndpointSlices: "ready" or "ready / not ready", addresses separated by blanks.
type fronted struct {
	svc
	slices       string
	port         int32 // of the pods; 9090 unless set
	noSelector   bool
	labels       map[string]string
	tier         int
	tenant       string
	selectorMore string // a second requirement
	replica      string // the only pod that it selects, by name
}

func (f fronted) detection(t *testing.T) inventory.Detection {
	d := f.svc.detection()
	c := d.Candidates[0]
	c.Tier, c.Tenant, d.Service.Labels = f.tier, f.tenant, f.labels
	switch {
	case f.noSelector:
		d.Service.Selector = nil
	case f.replica != "":
		d.Service.Selector = map[string]string{"statefulset.kubernetes.io/pod-name": f.replica}
	case f.selectorMore != "":
		d.Service.Selector["shard"] = f.selectorMore
	}
	if f.slices == "" {
		return d
	}
	port := f.port
	if port == 0 {
		port = 9090
	}
	ready, notReady, _ := strings.Cut(f.slices, "/")
	d.Endpoints = &backend.Endpoints{}
	for _, v6 := range []bool{false, true} { // a slice for each family
		s := backend.EndpointSlice{Ports: []backend.EndpointPort{{Number: port, Protocol: "TCP"}}}
		s.Ready, s.NotReady = addresses(t, ready, v6), addresses(t, notReady, v6)
		d.Endpoints.Slices = append(d.Endpoints.Slices, s)
	}
	return d
}

func addresses(t *testing.T, text string, v6 bool) (list []netip.Addr) {
	t.Helper()
	for _, word := range strings.Fields(text) {
		a, err := netip.ParseAddr(word)
		if err != nil {
			t.Fatal(err)
		}
		if a.Is6() == v6 {
			list = append(list, a)
		}
	}
	return list
}

// became says of each Service, in order, its verdict and, of a duplicate, of which other.
func became(t *testing.T, o inventory.Options, list ...fronted) string {
	t.Helper()
	var detections []inventory.Detection
	observations := map[backend.Key]backend.Observation{}
	for _, f := range list {
		d := f.detection(t)
		detections = append(detections, d)
		if f.outcome != "" {
			observations[d.Candidates[0].Key()] = backend.Observation{Outcome: f.outcome, Identity: true, Seen: backend.Seen{Code: backend.CodeUnreachable, Value: "what was seen"}}
		}
	}
	o.Type = builtin(t).Lookup
	got := map[backend.Ref]string{}
	for _, f := range inventory.Build(detections, observations, o) {
		got[f.Ref] = string(f.Verdict)
		if f.Verdict == backend.Duplicate {
			got[f.Ref] = "=" + f.Winner.String()
			if !strings.Contains(view.Reason(f), f.Winner.String()) {
				t.Errorf("%s: the reason does not name %s: %s", f.Ref, f.Winner, view.Reason(f))
			}
		}
	}
	var words []string
	for _, f := range list {
		words = append(words, got[f.ref])
	}
	return strings.Join(words, " ")
}

// In one namespace, and for one type, the endpoints decide where they are known.
func TestSameEndpoints(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	strong := func(name, slices string) fronted {
		return fronted{svc: svc{ref: at("ns", name), strength: backend.Strong}, slices: slices}
	}
	headless := func(f fronted) fronted { f.headless = true; return f }
	shard := func(f fronted, n string) fronted { f.selector, f.selectorMore = "p", n; return f }
	served := func(f fronted) fronted { f.selector = "p"; return f }
	all := func(f fronted) fronted { return headless(served(f)) }
	port := func(f fronted, n int32) fronted { f.port = n; return f }
	explicit := func(f fronted) fronted { f.strength = backend.Explicit; return f }
	down := func(f fronted) fronted { f.outcome = backend.Unreachable; return f }
	replica := func(name, slices string) fronted { f := strong(name, slices); f.replica = name; return f }
	operated := func(f fronted) fronted { f.tier = backend.TierTwin; return f }
	works := func(f fronted) fronted { f.outcome = backend.Ready; return f }
	locked := func(f fronted) fronted { f.outcome = backend.AuthRequired; return f }
	tests := map[string]struct {
		list []fronted
		want string
	}{
		"a headless twin":                   {[]fronted{served(strong("prometheus", "")), all(strong("prometheus-headless", ""))}, "accepted =ns/prometheus"},
		"only the headless one works":       {[]fronted{down(served(strong("a", ""))), works(all(strong("a-headless", "")))}, "=ns/a-headless accepted"},
		"another selector":                  {[]fronted{strong("a", ""), strong("b", "")}, "accepted accepted"},
		"the headless one is included":      {[]fronted{served(strong("a", "")), explicit(all(strong("b", "")))}, "=ns/b accepted"},
		"different selectors, the same pod": {[]fronted{strong("lens-metrics-service", "192.0.2.33"), strong("prometheus-server", "192.0.2.33")}, "=ns/prometheus-server accepted"},
		"the same pod, another port":        {[]fronted{strong("a", "10.1.0.1"), port(strong("b", "10.1.0.1"), 9091)}, "accepted accepted"},
		"other pods":                        {[]fronted{strong("a", "10.1.0.1"), strong("b", "10.1.0.2")}, "accepted accepted"},
		"some of the pods":                  {[]fronted{strong("a", "10.1.0.1 10.1.0.2"), strong("b", "10.1.0.2")}, "accepted accepted"},
		"nothing ready says nothing":        {[]fronted{strong("a", "/ 10.1.0.1"), strong("b", "/ 10.1.0.1")}, "accepted accepted"},
		"one slice is a moment older":       {[]fronted{strong("a", "10.1.0.1 10.1.0.2"), strong("b", "10.1.0.1 / 10.1.0.2")}, "accepted =ns/a"},
		"one family and two":                {[]fronted{strong("a", "10.1.0.1 fd00::1"), strong("bb", "fd00::1")}, "accepted =ns/a"},
		"one family alike, the other not":   {[]fronted{strong("a", "10.1.0.1 fd00::1"), strong("b", "10.1.0.1 fd00::2")}, "accepted accepted"},
		"an alias without a selector":       {[]fronted{strong("prometheus-server", "10.1.0.1"), {svc: svc{ref: at("ns", "prometheus-server-alias"), strength: backend.Strong}, noSelector: true, slices: "10.1.0.1"}}, "accepted =ns/prometheus-server"},
		"the one that works":                {[]fronted{down(strong("a", "10.1.0.1")), strong("b", "10.1.0.1")}, "=ns/b accepted"},
		"the one that wants no credentials": {[]fronted{locked(strong("a", "10.1.0.1")), works(strong("b", "10.1.0.1"))}, "=ns/b accepted"},
		"operated beside one shard":         {[]fronted{all(strong("operated", "10.1.0.1 10.1.0.2")), shard(strong("one", "10.1.0.1"), "0")}, "accepted accepted"},
		"operated beside all shards":        {[]fronted{all(strong("operated", "10.1.0.1 10.1.0.2")), shard(strong("a", "10.1.0.1"), "0"), shard(strong("b", "10.1.0.2"), "1")}, "=ns/a accepted accepted"},
		"operated beside its only one":      {[]fronted{all(strong("operated", "10.1.0.1 10.1.0.2")), shard(strong("a", "10.1.0.1 10.1.0.2"), "0")}, "=ns/a accepted"},
		"a headless twin has more as ready": {[]fronted{all(strong("operated", "10.1.0.1 10.1.0.2")), shard(strong("a", "10.1.0.1 / 10.1.0.2"), "0")}, "=ns/a accepted"},
		"operated, a moment older":          {[]fronted{all(strong("operated", "10.1.0.1")), shard(strong("a", "10.1.0.9"), "0")}, "=ns/a accepted"},
		"a set of nodes, a moment older":    {[]fronted{served(strong("all", "10.1.0.1 10.1.0.2 10.1.0.3")), headless(shard(strong("set", "10.1.0.9"), "0"))}, "accepted =ns/all"},
		"without endpoints, by selectors":   {[]fronted{all(strong("operated", "")), shard(strong("a", ""), "0")}, "=ns/a accepted"},
		"one of two is included":            {[]fronted{strong("a", "10.1.0.1"), explicit(strong("b", "10.1.0.1"))}, "accepted accepted"},
		"both are":                          {[]fronted{explicit(strong("a", "10.1.0.1")), explicit(strong("b", "10.1.0.1"))}, "accepted accepted"},
		"replicas beside their headless":    {[]fronted{all(strong("all", "10.1.0.1 10.1.0.2")), replica("p-0", "10.1.0.1"), replica("p-1", "10.1.0.2")}, "accepted =ns/all =ns/all"},
		"replicas of two beside operated":   {[]fronted{operated(all(strong("operated", "10.1.0.1 10.1.0.2"))), replica("p-0", "10.1.0.1"), replica("q-0", "10.1.0.2")}, "=ns/p-0 accepted accepted"},
		"the twin of one that is included":  {[]fronted{headless(strong("a", "10.1.0.1")), explicit(strong("b", "10.1.0.1"))}, "=ns/b accepted"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := became(t, inventory.Options{}, tc.list...); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// Who may write Services and EndpointSlices in one namespace can have a selector, any address, and a backend that is published.
// No Service of another owner is withdrawn for it: only what the configuration vouches for comes before another's.
func TestStrangersEndpoints(t *testing.T) {
	t.Attr("req", "DTS-DET-6 DTS-SEC-3")
	const victims, strangers = "team/prometheus", "evil/prometheus"
	victim := func() fronted {
		return fronted{svc: svc{ref: at("team", "prometheus"), strength: backend.Strong, day: 20, outcome: backend.Ready}, slices: "10.1.0.1 10.1.0.2"}
	}
	stranger := func(slices string) fronted {
		return fronted{svc: svc{ref: at("evil", "prometheus"), strength: backend.Strong, day: 1, outcome: backend.Ready}, slices: slices, noSelector: true}
	}
	with := func(f fronted, change func(*fronted)) fronted { change(&f); return f }
	trusted := func(o *inventory.Options) { o.TrustedNamespaces = []string{"team"} }
	given := func(o *inventory.Options) {
		o.Credentials = map[string]map[backend.Ref]map[string]string{"prometheus": {at("team", "prometheus"): {"bearer_token": "TOKEN"}}}
	}
	unselected := func(f *fronted) { f.noSelector = true }
	down := func(f *fronted) { f.outcome = backend.Unreachable }
	locked := func(f *fronted) { f.outcome = backend.AuthRequired }
	selected := func(f *fronted) { f.noSelector = false }
	tests := map[string]struct {
		victim, stranger fronted
		options          func(*inventory.Options)
		want             string
	}{
		"older, the same addresses":         {victim(), stranger("10.1.0.1 10.1.0.2"), nil, "accepted accepted"},
		"with a selector too":               {victim(), with(stranger("10.1.0.1 10.1.0.2"), selected), nil, "accepted accepted"},
		"the victim without a selector":     {with(victim(), unselected), with(stranger("10.1.0.1 10.1.0.2"), selected), nil, "accepted accepted"},
		"neither has a selector":            {with(victim(), unselected), stranger("10.1.0.1 10.1.0.2"), nil, "accepted accepted"},
		"explicit":                          {victim(), with(stranger("10.1.0.1 10.1.0.2"), func(f *fronted) { f.strength = backend.Explicit }), nil, "accepted accepted"},
		"a better tier":                     {with(victim(), func(f *fronted) { f.tier = 9 }), stranger("10.1.0.1 10.1.0.2"), nil, "accepted accepted"},
		"the victim is down":                {with(victim(), down), stranger("10.1.0.1 10.1.0.2"), nil, "unavailable accepted"},
		"the victim requires credentials":   {with(victim(), locked), stranger("10.1.0.1 10.1.0.2"), nil, "unavailable accepted"},
		"the victim is trusted":             {victim(), stranger("10.1.0.1 10.1.0.2"), trusted, "accepted =" + victims},
		"the victim is configured":          {victim(), stranger("10.1.0.1 10.1.0.2"), primary(at("team", "prometheus")), "accepted =" + victims},
		"it has credentials":                {victim(), with(stranger("10.1.0.1 10.1.0.2"), selected), given, "accepted =" + victims},
		"trusted, without a selector":       {with(victim(), unselected), with(stranger("10.1.0.1 10.1.0.2"), selected), trusted, "accepted =" + victims},
		"trusted, a subset":                 {victim(), stranger("10.1.0.1"), trusted, "accepted accepted"},
		"trusted, a superset":               {victim(), stranger("10.1.0.1 10.1.0.2 10.1.0.3"), trusted, "accepted accepted"},
		"trusted, another port":             {victim(), with(stranger("10.1.0.1 10.1.0.2"), func(f *fronted) { f.port = 9100 }), trusted, "accepted accepted"},
		"trusted, one family of two":        {with(victim(), func(f *fronted) { f.slices = "10.1.0.1 fd00::1" }), stranger("fd00::1"), trusted, "accepted accepted"},
		"trusted, one family more":          {victim(), stranger("10.1.0.1 10.1.0.2 fd00::1"), trusted, "accepted accepted"},
		"trusted, both families":            {with(victim(), func(f *fronted) { f.slices = "10.1.0.1 fd00::1" }), stranger("10.1.0.1 fd00::1"), trusted, "accepted =" + victims},
		"trusted, and down":                 {with(victim(), down), stranger("10.1.0.1 10.1.0.2"), trusted, "unavailable accepted"},
		"trusted, explicit":                 {victim(), with(stranger("10.1.0.1 10.1.0.2"), func(f *fronted) { f.strength = backend.Explicit }), trusted, "accepted accepted"},
		"the victim is not what is trusted": {victim(), stranger("10.1.0.1 10.1.0.2"), func(o *inventory.Options) { o.TrustedNamespaces = []string{"other"} }, "accepted accepted"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var o inventory.Options
			if tc.options != nil {
				tc.options(&o)
			}
			if got := became(t, o, tc.victim, tc.stranger); got != tc.want {
				t.Errorf("victim and stranger are %s, want %s", got, tc.want)
			}
		})
	}
}

func primary(ref backend.Ref) func(*inventory.Options) {
	return func(o *inventory.Options) { o.Primary = map[string]backend.Ref{"prometheus": ref} }
}

// A duplicate's Service is one that is used, however many give way to each other.
func TestDuplicatesNameTheOneThatIsUsed(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	in := func(namespace, name string, selector bool) fronted {
		return fronted{svc: svc{ref: at(namespace, name), strength: backend.Strong}, slices: "10.1.0.1", noSelector: !selector}
	}
	got := became(t, inventory.Options{TrustedNamespaces: []string{"b"}}, in("a", "one", false), in("a", "other", false), in("b", "real", true))
	if want := "=b/real =b/real accepted"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What a trusted namespace has twice, behind its gateway too, is there once, and not again in another's.
func TestSameEndpointsBehindATrustedGateway(t *testing.T) {
	t.Attr("req", "DTS-DET-6")
	release := map[string]string{"app.kubernetes.io/instance": "x", "app.kubernetes.io/name": "prometheus"}
	gateway := fronted{svc: svc{ref: at("b", "gateway"), strength: backend.Strong}, slices: "10.1.0.9", labels: release}
	behind := fronted{svc: svc{ref: at("b", "server"), strength: backend.Strong}, slices: "10.1.0.1", labels: release, tier: 3}
	alias := fronted{svc: svc{ref: at("a", "server"), strength: backend.Strong}, slices: "10.1.0.1", noSelector: true}
	for _, tc := range []struct {
		trusted []string
		want    string
	}{{nil, "accepted =b/gateway accepted"}, {[]string{"b"}, "accepted =b/gateway =b/gateway"}} {
		got := became(t, inventory.Options{TrustedNamespaces: tc.trusted}, gateway, behind, alias)
		if got != tc.want {
			t.Errorf("trusting %q: got %s, want %s", tc.trusted, got, tc.want)
		}
	}
}

func builtin(t *testing.T) *catalog.Catalog {
	t.Helper()
	c, err := builtinCatalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
