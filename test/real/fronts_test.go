//go:build real

package real

import (
	"fmt"
	"strings"
	"testing"
)

// front is an nginx before a real process: what it does, and what becomes of a Service that leads to it.
type front struct {
	name    string
	process string   // "" is the Prometheus
	listen  string   // further words of its listen directive
	conf    string   // of its server; $up is the process, $ca, $dir and $cert are files
	more    []string // further servers, whole
	port    port     // of the Service; 9090 where it is 0
	other   []port   // further ports of the Service
	notes   labels
	cert    []string // names of its certificate; $name is the Service's
	open    bool     // run without the authority of the certificates

	labels labels // Prometheus's chart where nil
	want   want
	// bare is the verdict of the same front behind a Service without any label; "" where it is not asked.
	bare string
}

const (
	pass = "location / { proxy_pass $up; proxy_set_header Host $http_host; proxy_set_header Accept-Encoding $http_accept_encoding; }"
	tls  = "ssl_certificate $cert.pem; ssl_certificate_key $cert.key; "
)

// onQuery is a Prometheus whose query API alone answers so.
func onQuery(directive string) string {
	return "location = /api/v1/query { " + directive + " } " + pass
}

// notReady is up, and does not answer what the agent will ask.
func notReady(reason ...string) want {
	return want{verdict: "unavailable", kind: "prometheus", probe: "not-ready", reason: reason}
}

func fronts() []front {
	prometheus := accepted("prometheus", "")
	unavailable := func(probe string, reason ...string) want {
		return want{verdict: "unavailable", kind: "prometheus", probe: probe, reason: reason}
	}
	asks := want{verdict: "unavailable", kind: "prometheus", probe: "auth-required", reason: []string{"credentials"}}
	secure := want{verdict: "accepted", kind: "prometheus", scheme: "https"}
	long, short := []string{"$name.svc.cluster.local"}, []string{"$name.svc"}
	const reject = "default_type text/plain; return "
	return []front{
		{name: "plain", conf: pass, want: prometheus, bare: "accepted"},
		{name: "gzip", conf: "location / { proxy_pass $up; gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *; } ", want: prometheus, bare: "accepted"},
		{name: "text", conf: "location / { proxy_pass $up; proxy_hide_header Content-Type; add_header Content-Type text/plain always; }", want: prometheus, bare: "accepted"},
		{name: "tls-untrusted", listen: "ssl", conf: tls + pass, cert: long, open: true, want: unavailable("untrusted-tls"), bare: "unconfirmed"},
		{name: "tls", listen: "ssl", conf: tls + pass, cert: long, want: secure, bare: "accepted"},
		{name: "tls-old", listen: "ssl", conf: tls + "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256; " + pass, cert: long, want: secure, bare: "accepted"},
		{name: "tls-short-name", listen: "ssl", conf: tls + pass, cert: short, want: secure, bare: "accepted"},
		{name: "tls-other-name", listen: "ssl", conf: tls + pass, cert: []string{"prometheus.example"}, want: unavailable("untrusted-tls", "prometheus.example")},
		{name: "tls-own-name-only", listen: "ssl default_server", conf: "ssl_reject_handshake on;", cert: long, want: unavailable("", "name"), more: []string{
			"server { listen $ip:9090 ssl; server_name prometheus.example; " + tls + pass + " }",
		}},
		{name: "tls-mutual", listen: "ssl", conf: tls + "ssl_client_certificate $ca; ssl_verify_client on; " + pass, cert: long, want: unavailable("", "client certificate")},
		{name: "basic", conf: "auth_basic Metrics; auth_basic_user_file $dir/users; " + pass, want: asks, bare: "unconfirmed"},
		{name: "bearer", conf: "add_header WWW-Authenticate 'Bearer realm=\"x\"' always; return 401;", want: asks, bare: "unconfirmed"},
		{name: "bare-401", conf: "return 401;", want: asks, bare: "unconfirmed"},
		{name: "forbidden", conf: "return 403;", want: unavailable("forbidden", "403"), bare: "unconfirmed"},
		{name: "mesh", conf: reject + "403 'RBAC: access denied';", want: unavailable("forbidden-by-mesh", "mesh"), bare: "unconfirmed"},
		{name: "login", conf: "return 302 https://login.example/auth?rd=x;", want: unavailable("login-required", "login.example"), bare: "unconfirmed"},
		{name: "login-page", conf: `default_type text/html; return 200 '<!doctype html><title>Sign in</title><form method="post"><input type="password" name="p"></form>';`, want: unavailable("login-required"), bare: "unconfirmed"},
		{name: "maintenance", conf: "return 503;", want: unavailable("", "503"), bare: "unconfirmed"},
		{name: "no-upstream", conf: "location / { proxy_pass http://127.0.0.1:1; }", want: unavailable("", "502"), bare: "unconfirmed"},
		{name: "closed", conf: "return 444;", want: unavailable("unreachable"), bare: "unconfirmed"},
		{name: "slow", conf: "location / { proxy_pass $up; limit_rate 8; }", want: unavailable("unreachable"), bare: "unconfirmed"},
		{name: "to-https", conf: "return 301 https://$host:9443$request_uri;", cert: long, other: []port{{"https", 9443, 9443}}, want: secure, bare: "accepted", more: []string{
			"server { listen $ip:9443 ssl; " + tls + pass + " }",
		}},
		{name: "to-https-443", conf: "return 301 https://$host$request_uri;", cert: long, other: []port{{"https", 443, 9443}}, want: secure, more: []string{
			"server { listen $ip:443 ssl; " + tls + pass + " }",
		}},
		{name: "base-path", conf: "location /team-a/prom/ { proxy_pass $up/; } location / { return 404; }", want: verdict("rejected", "prometheus"), bare: "rejected"},
		{name: "base-path-told", notes: labels{"kubernaut.io/toolset-path": "/team-a/prom"}, conf: "location /team-a/prom/ { proxy_pass $up/; } location / { return 404; }", want: accepted("prometheus", "/team-a/prom")},
		{name: "query-only-403", conf: "location /api/v1/query { proxy_pass $up; } location / { return 403; }", want: want{verdict: "accepted", kind: "prometheus", version: "-"}},
		{name: "query-only-404", conf: "location /api/v1/query { proxy_pass $up; } location / { return 404; }", want: want{verdict: "accepted", kind: "prometheus", version: "-"}},
		{name: "query-500", conf: onQuery("return 500;"), want: notReady("500")},
		{name: "query-404", conf: onQuery("return 404;"), want: notReady("404")},
		{name: "query-405", conf: onQuery("return 405;"), want: notReady("405")},
		{name: "query-422", conf: onQuery(reject + "422 'no';"), want: notReady("422")},
		{name: "query-page", conf: onQuery("default_type text/html; return 200 '<!doctype html><title>Hello</title>';"), want: notReady()},
		{name: "query-elsewhere", conf: onQuery("return 302 https://prometheus.example/;"), want: notReady("prometheus.example")},
		{
			name: "thanos-no-version", process: "thanos-query", labels: chart("thanos", "query"), want: want{verdict: "accepted", kind: "thanos", version: "-"},
			conf: "sub_filter_types application/json; sub_filter '\"version\":\"0.40.1\"' '\"version\":\"\"'; location / { proxy_pass $up; proxy_set_header Accept-Encoding ''; }",
		},
		{
			name: "loki-500", process: "loki", labels: chart("loki", "single-binary"), port: port{name: "http-metrics", number: 3100},
			conf: "location = /loki/api/v1/labels { " + reject + "500 'too many unhealthy instances in the ring'; } " + pass,
			want: want{verdict: "unavailable", kind: "loki", probe: "not-ready", reason: []string{"too many unhealthy instances"}},
		},
		{
			name: "loki-basic", process: "loki", labels: chart("loki", "gateway"), port: port{name: "http", number: 80, target: 8080},
			conf: "auth_basic Loki; auth_basic_user_file $dir/users; " + pass,
			want: want{verdict: "unavailable", kind: "loki", probe: "auth-required", reason: []string{"a username and a password"}},
		},
	}
}

func (f front) service(l *lab, bare bool) service {
	s := service{namespace: "front-" + f.name, name: "prometheus-server", labels: f.labels, annotations: f.notes, ip: l.fronts[f.name]}
	if f.labels == nil {
		s.labels = promChart
	}
	if bare {
		s.name, s.labels = "metrics", nil
	}
	first := f.port
	if first.number == 0 {
		first = port{"http", 9090, 9090}
	}
	s.ports = append([]port{first}, f.other...)
	return s
}

// behind is the process that the front stands before.
func (f front) behind() string {
	if f.process == "" {
		return "prometheus"
	}
	return f.process
}

// addFronts gives the fronts addresses and nginx their servers. The certificates are made for both Services of each.
func (l *lab) addFronts() error {
	authority, err := newAuthority(l.dir)
	if err != nil {
		return err
	}
	l.authority = authority.file
	if _, err := authority.certificate("node", []string{"node"}); err != nil { // of opensearch-security
		return err
	}
	for _, f := range fronts() {
		p := l.processes[f.behind()]
		if p == nil {
			continue
		}
		ip := l.address()
		l.fronts[f.name] = ip
		var names []string
		for _, n := range f.cert {
			for _, name := range []string{"prometheus-server", "metrics"} {
				names = append(names, strings.ReplaceAll(n, "$name", name+".front-"+f.name))
			}
		}
		cert := ""
		if len(names) > 0 {
			if cert, err = authority.certificate(f.name, names); err != nil {
				return err
			}
		}
		number := f.port.number
		if number == 0 {
			number = 9090
		}
		fill := strings.NewReplacer("$up", p.base(), "$ip", ip, "$cert", cert, "$ca", authority.file)
		server := fmt.Sprintf("server { listen %s:%d %s; %s }", ip, number, f.listen, f.conf)
		for _, text := range append([]string{server}, f.more...) {
			l.servers = append(l.servers, fill.Replace(text))
		}
	}
	return nil
}

// TestFronts asks about all fronts twice: with the authority of the certificates given, and without.
func TestFronts(t *testing.T) {
	t.Attr("req", "DTS-QA-4")
	for _, open := range []bool{false, true} {
		var list []service
		for _, f := range fronts() {
			if f.open != open || shared.fronts[f.name] == "" {
				continue
			}
			list = append(list, f.service(shared, false))
			if f.bare != "" {
				list = append(list, f.service(shared, true))
			}
		}
		args := []string{"--set", "tls.caFile=" + shared.authority}
		if open {
			args = nil
		}
		results := shared.discover(t, list, args...)
		for _, f := range fronts() {
			if f.open == open {
				f.judge(t, results)
			}
		}
	}
}

func (f front) judge(t *testing.T, results map[string][]found) {
	version := func() string { return shared.version(t, f.behind()) }
	key := "front-" + f.name + "/"
	t.Run(f.name, func(t *testing.T) {
		shared.need(t, f.behind(), "nginx")
		judge(t, f.want, results[key+"prometheus-server"], version)
	})
	if f.bare != "" {
		t.Run(f.name+" without labels", func(t *testing.T) {
			shared.need(t, f.behind(), "nginx")
			w := want{verdict: f.bare}
			if f.bare == "accepted" {
				w = f.want
			}
			judge(t, w, results[key+"metrics"], version)
		})
	}
}
