//go:build real

package real

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func lokis() []*process {
	loki := func(name, target string, args ...string) *process {
		return &process{
			name: name, product: "loki", port: 3100, ready: "/ready",
			args: append([]string{"-config.file=$dir/loki.yml", "-target=" + target}, args...),
			files: map[string]string{"loki.yml": `auth_enabled: false
server: {http_listen_address: $ip, http_listen_port: 3100, grpc_listen_address: $ip, grpc_listen_port: 9095}
common: {instance_addr: $ip, ring: {instance_addr: $ip, kvstore: {store: inmemory}}, replication_factor: 1, path_prefix: $dir/data}
memberlist: {bind_addr: ["$ip"]}
schema_config: {configs: [{from: "2024-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]}
storage_config: {filesystem: {directory: $dir/chunks}}
ruler: {storage: {type: local, local: {directory: $dir/rules}}}
analytics: {reporting_enabled: false}
`, "rules/none": ""},
		}
	}
	// Some parts are never ready alone, and answer all the same.
	alone := func(name, target string) *process {
		p := loki(name, target, "-common.compactor-grpc-address=$ip:9095")
		p.ready = ""
		return p
	}
	return []*process{
		with(loki("loki", "all"), func(p *process) { p.seed = lokiLines }),
		loki("loki-tenants", "all", "-auth.enabled=true"),
		with(loki("loki-prefix", "all", "-server.path-prefix=/lk"), func(p *process) { p.ready = "/lk/ready" }),
		loki("loki-distributor", "distributor"), loki("loki-ingester", "ingester"), loki("loki-compactor", "compactor"),
		loki("loki-ruler", "ruler"), loki("loki-write", "write"), loki("loki-backend", "backend"),
		alone("loki-querier", "querier"), alone("loki-frontend", "query-frontend"), alone("loki-read", "read"),
	}
}

func tempos() []*process {
	port := 19095 // Tempo's own parts meet on 127.0.0.1
	tempo := func(name, target string, tenants bool) *process {
		port++
		return &process{
			name: name, product: "tempo", port: 3200, ready: "/ready", args: []string{"-config.file=$dir/tempo.yml", "-target=" + target},
			files: map[string]string{"tempo.yml": fmt.Sprintf(`multitenancy_enabled: %v
search_enabled: true
server: {http_listen_address: $ip, http_listen_port: 3200, grpc_listen_address: 127.0.0.1, grpc_listen_port: %d}
distributor: {receivers: {otlp: {protocols: {http: {endpoint: "$ip:4318"}}}, zipkin: {endpoint: "$ip:9411"}}}
querier: {frontend_worker: {frontend_address: "127.0.0.1:%d"}}
ingester: {lifecycler: {ring: {kvstore: {store: inmemory}, replication_factor: 1}}}
memberlist: {bind_addr: ["$ip"], bind_port: 7946}
storage: {trace: {backend: local, wal: {path: $dir/wal}, local: {path: $dir/blocks}}}
`, tenants, port, port)},
		}
	}
	return []*process{
		with(tempo("tempo", "all", false), func(p *process) { p.seed = tempoSpans }),
		tempo("tempo-tenants", "all", true), tempo("tempo-distributor", "distributor", false), tempo("tempo-compactor", "compactor", false),
		with(tempo("tempo-frontend", "query-frontend", false), func(p *process) { p.ready = "" }),
	}
}

func traces() []*process {
	jaeger := func(name, path string) *process {
		return &process{
			name: name, product: "jaeger", port: 16686, ready: strings.TrimSuffix(path, "/") + "/api/services", seed: spans(4318, "/v1/traces"),
			args: []string{
				"--query.base-path=" + path, "--query.http-server.host-port=$ip:16686", "--query.grpc-server.host-port=$ip:16685",
				"--collector.http-server.host-port=$ip:14268", "--collector.grpc-server.host-port=$ip:14250",
				"--collector.otlp.grpc.host-port=$ip:4317", "--collector.otlp.http.host-port=$ip:4318", "--collector.zipkin.host-port=$ip:9411",
				"--admin.http.host-port=$ip:14269", "--http-server.host-port=$ip:5778", "--processor.jaeger-binary.server-host-port=$ip:6832",
				"--processor.jaeger-compact.server-host-port=$ip:6831", "--processor.zipkin-compact.server-host-port=$ip:5775",
			},
		}
	}
	second := func(name, path string) *process {
		return &process{
			name: name, product: "jaeger-2", port: 16686, ready: path + "/api/services", seed: spans(4318, "/v1/traces"),
			args: []string{"--config=$dir/jaeger.yml"},
			files: map[string]string{"jaeger.yml": `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {metrics: {level: none}}
extensions:
  jaeger_storage: {backends: {memory: {memory: {max_traces: 1000}}}}
  jaeger_query: {storage: {traces: memory}, base_path: "` + path + `", http: {endpoint: "$ip:16686"}, grpc: {endpoint: "$ip:16685"}}
receivers: {otlp: {protocols: {http: {endpoint: "$ip:4318"}}}}
exporters: {jaeger_storage_exporter: {trace_storage: memory}}
`},
		}
	}
	return []*process{
		second("jaeger-2", ""), second("jaeger-2-path", "/jaeger/ui"),
		jaeger("jaeger", "/"), jaeger("jaeger-path", "/jaeger"), jaeger("jaeger-odd", "/tracing/ui"),
		{
			name: "zipkin", product: "zipkin", port: 9411, ready: "/health", seed: zipkinSpans,
			args: []string{"--armeria.ports[0].ip=$ip", "--armeria.ports[0].port=9411", "--armeria.ports[0].protocols[0]=http"},
		},
	}
}

func searches() []*process {
	node := func(name, product string, settings ...string) *process {
		home := "$dir"
		if len(settings) > 0 {
			home = "$product"
		}
		return &process{
			name: name, product: product, port: 9200, ready: "/_cluster/health", seed: documents, args: slices.Concat([]string{
				"path.home=" + home, "node.name=node", "cluster.name=" + name, "discovery.type=single-node", "network.host=$ip", "http.port=9200",
				"transport.port=9300",
				"cluster.routing.allocation.disk.threshold_enabled=false", // however full this machine's disk is
			}, settings),
		}
	}
	return []*process{
		with(node("opensearch-security", "opensearch-security", "path.data=$dir/data", "path.logs=$dir/logs", "plugins.security.ssl.http.enabled=false",
			"plugins.security.ssl.transport.pemcert_filepath=$lab/node.pem", "plugins.security.ssl.transport.pemkey_filepath=$lab/node.key",
			"plugins.security.ssl.transport.pemtrustedcas_filepath=$lab/ca.pem", "plugins.security.allow_default_init_securityindex=true",
			"org.opensearch.security.OpenSearchSecurityPlugin"), func(p *process) {
			p.env = []string{"JAVA_TOOL_OPTIONS=-Dsecurity.default_init.dir=$product/config"}
			p.status, p.seed = []int{http.StatusUnauthorized}, nil
		}),
		// Its transport is a module below its home, which is the product's folder.
		node("elasticsearch-8", "elasticsearch-8", "path.data=$dir/data", "path.logs=$dir/logs"),
		node("elasticsearch-7", "elasticsearch-7"), with(node("elasticsearch-red", "elasticsearch-7"), func(p *process) { p.seed = redIndex }),
		node("opensearch", "opensearch"),
	}
}

// proxies stand before the Prometheus.
func proxies() []*process {
	label := func(name string, args ...string) *process {
		return &process{
			name: name, product: "prom-label-proxy", port: 9090, after: []string{"prometheus"}, args: append([]string{
				"-insecure-listen-address=$ip:9090", "-upstream=http://$(prometheus):9090", "-enable-label-apis", "-label=job",
			}, args...),
		}
	}
	return []*process{
		label("prom-label-proxy", "-label-value=prometheus"), label("prom-label-proxy-open"),
		{
			name: "oauth2-proxy", product: "oauth2-proxy", port: 4180, after: []string{"prometheus"}, ready: "/ping", args: []string{
				"--provider=oidc", "--skip-oidc-discovery", "--login-url=http://login.example/auth", "--redeem-url=http://login.example/token",
				"--oidc-jwks-url=http://login.example/keys", "--oidc-issuer-url=http://login.example", "--client-id=x", "--client-secret=y",
				"--cookie-secret=0123456789abcdef0123456789abcdef", "--email-domain=*", "--upstream=http://$(prometheus):9090",
				"--redirect-url=http://p.example/oauth2/callback", "--http-address=$ip:4180",
			},
		},
	}
}
