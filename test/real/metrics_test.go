//go:build real

package real

import "slices"

// scrape is a configuration of Prometheus that scrapes itself, so that there is a series of up.
const scrape = `global: {scrape_interval: 1s, external_labels: {cluster: one}}
scrape_configs: [{job_name: prometheus, static_configs: [{targets: ["$ip:9090"]}]}]
`

// prometheusProcess is a Prometheus that has data.
func prometheusProcess(name, product string, args ...string) *process {
	return &process{
		name: name, product: product, port: 9090, ready: "/-/ready",
		args: append([]string{
			"--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/data", "--web.listen-address=$ip:9090",
		}, args...),
		files: map[string]string{"prometheus.yml": scrape},
		seed:  hasSeries("/api/v1/query?query=up"),
	}
}

// with changes a process, in an expression.
func with(p *process, change func(*process)) *process {
	change(p)
	return p
}

// prometheuses are those that can be queried, and look-alikes.
func prometheuses() []*process {
	const hash = "$2b$04$FdvSvMgKiyAPi7BYUV2ZkO0WPgUQ9KdNswoiz9TSJq5J1.cB4Da2S" // of "secret"
	var list []*process
	for _, p := range []struct{ name, product, agent string }{
		{"prometheus", "prometheus-debian", "--enable-feature=agent"}, {"prometheus-3", "prometheus-3", "--agent"},
	} {
		list = append(
			list,
			prometheusProcess(p.name, p.product),
			with(prometheusProcess(p.name+"-external", p.product, "--web.external-url=http://x/mon/prom"), func(p *process) {
				p.ready, p.seed = "/mon/prom/-/ready", nil
				p.files = map[string]string{"prometheus.yml": `global: {scrape_interval: 1s}
scrape_configs: [{job_name: prometheus, metrics_path: /mon/prom/metrics, static_configs: [{targets: ["$ip:9090"]}]}]
`}
			}),
			prometheusProcess(p.name+"-links", p.product, "--web.external-url=http://x/mon/prom", "--web.route-prefix=/"),
			&process{
				name: p.name + "-agent", product: p.product, port: 9090, ready: "/-/ready",
				args:  []string{"--config.file=$dir/p.yml", p.agent, "--storage.agent.path=$dir/data", "--web.listen-address=$ip:9090"},
				files: map[string]string{"p.yml": "scrape_configs: []\n"},
			},
			with(prometheusProcess(p.name+"-basic", p.product, "--web.config.file=$dir/web.yml"), func(p *process) {
				p.ready, p.status, p.seed = "/-/ready", []int{401}, nil
				p.files["web.yml"] = "basic_auth_users: {reader: '" + hash + "'}\n"
			}),
		)
	}
	return slices.Concat(list, []*process{
		with(prometheusProcess("prometheus-empty", "prometheus-debian"), func(p *process) {
			p.files, p.seed = map[string]string{"prometheus.yml": "scrape_configs: []\n"}, nil
		}),
		{
			name: "alertmanager", product: "alertmanager", port: 9093, ready: "/-/ready", args: alertmanagerArgs, files: alertmanagerFiles,
			seed: alert,
		},
		{
			name: "alertmanager-am", product: "alertmanager", port: 9093, ready: "/am/-/ready",
			args: append(slices.Clone(alertmanagerArgs), "--web.route-prefix=/am", "--web.external-url=http://x/am"), files: alertmanagerFiles,
		},
		{name: "pushgateway", product: "pushgateway", port: 9091, ready: "/-/ready", args: []string{"--web.listen-address=$ip:9091"}},
		{name: "node-exporter", product: "node-exporter", port: 9100, ready: "/metrics", args: []string{"--web.listen-address=$ip:9100"}},
		{
			name: "blackbox-exporter", product: "blackbox-exporter", port: 9115, ready: "/-/healthy",
			args:  []string{"--web.listen-address=$ip:9115", "--config.file=$dir/b.yml"},
			files: map[string]string{"b.yml": "modules: {http: {prober: http}}\n"},
		},
		{
			name: "elasticsearch-exporter", product: "elasticsearch-exporter", port: 9114,
			args: []string{"--web.listen-address=$ip:9114", "--es.uri=http://127.0.0.1:1"},
		},
		{
			name: "influxdb", product: "influxdb", port: 8086, ready: "/ping", status: []int{204}, args: []string{"run", "-config", "$dir/i.conf"},
			files: map[string]string{"i.conf": `reporting-disabled = true
bind-address = "$ip:8088"
[meta]
dir = "$dir/meta"
[data]
dir = "$dir/data"
wal-dir = "$dir/wal"
[http]
bind-address = "$ip:8086"
`},
		},
		{
			name: "etcd", product: "etcd", port: 2379, ready: "/health", args: []string{
				"--data-dir=$dir/data", "--listen-client-urls=http://$ip:2379", "--advertise-client-urls=http://$ip:2379",
				"--listen-peer-urls=http://$ip:2380", "--initial-advertise-peer-urls=http://$ip:2380", "--initial-cluster=default=http://$ip:2380",
			},
		},
	})
}

var (
	alertmanagerArgs = []string{
		"--config.file=$dir/a.yml", "--storage.path=$dir/data", "--web.listen-address=$ip:9093", "--cluster.listen-address=$ip:9094",
	}
	alertmanagerFiles = map[string]string{"a.yml": "route: {receiver: none}\nreceivers: [{name: none}]\n"}
)

// thanosProcess is a part of Thanos.
func thanosProcess(name, component string, after []string, args ...string) *process {
	return &process{
		name: name, product: "thanos", port: 10902, after: after, ready: "/-/ready",
		args: append([]string{component, "--http-address=$ip:10902"}, args...),
	}
}

// thanoses are the parts of Thanos before two Prometheus servers.
func thanoses() []*process {
	const bucket = "--objstore.config=type: FILESYSTEM\nconfig: {directory: $dir/bucket}"
	var list []*process
	sidecars, endpoints := []string{}, []string{}
	for _, cluster := range []string{"a", "b"} {
		server := "thanos-prometheus-" + cluster
		list = append(list, with(prometheusProcess(server, "prometheus-debian", "--storage.tsdb.min-block-duration=2h",
			"--storage.tsdb.max-block-duration=2h"), func(p *process) {
			p.files = map[string]string{"prometheus.yml": `global: {scrape_interval: 1s, external_labels: {cluster: ` + cluster + `}}
scrape_configs: [{job_name: prometheus, static_configs: [{targets: ["$ip:9090"]}]}]
`}
		}), thanosProcess("thanos-sidecar-"+cluster, "sidecar", []string{server}, "--grpc-address=$ip:10901",
			"--prometheus.url=http://$("+server+"):9090", "--tsdb.path=$dir/../"+server+"/data"))
		sidecars = append(sidecars, "thanos-sidecar-"+cluster)
		endpoints = append(endpoints, "--endpoint=$(thanos-sidecar-"+cluster+"):10901")
	}
	query := func(name string, args ...string) *process {
		p := thanosProcess(name, "query", sidecars, slices.Concat([]string{"--grpc-address=$ip:10901"}, endpoints, args)...)
		p.seed = hasSeries("/api/v1/query?query=up")
		return p
	}
	frontend := func(name, downstream string, after []string) *process {
		return thanosProcess(name, "query-frontend", after, "--query-frontend.downstream-url="+downstream)
	}
	return slices.Concat(list, []*process{
		query("thanos-query"),
		with(query("thanos-query-prefix", "--web.route-prefix=/thanos"), func(p *process) { p.seed = hasSeries("/thanos/api/v1/query?query=up") }),
		with(query("thanos-query-external", "--web.external-prefix=/q"), func(p *process) { p.seed = hasSeries("/q/api/v1/query?query=up") }),
		thanosProcess("thanos-query-alone", "query", nil, "--grpc-address=$ip:10901"),
		frontend("thanos-frontend", "http://$(thanos-query):10902", []string{"thanos-query"}),
		with(frontend("thanos-frontend-dead", "http://127.0.0.1:1", nil), func(p *process) { p.ready = "" }),
		thanosProcess("thanos-store", "store", nil, "--grpc-address=$ip:10901", "--data-dir=$dir/data", bucket),
		thanosProcess("thanos-compact", "compact", nil, "--wait", "--data-dir=$dir/data", bucket),
		thanosProcess("thanos-rule", "rule", []string{"thanos-query"}, "--grpc-address=$ip:10901", "--data-dir=$dir/data",
			"--query=http://$(thanos-query):10902", "--label=ruler=\"a\"", "--alertmanagers.url=http://127.0.0.1:1"),
		thanosProcess("thanos-receive", "receive", nil, "--grpc-address=$ip:10901", "--tsdb.path=$dir/data", "--label=receive=\"a\"",
			"--remote-write.address=$ip:19291"),
		with(thanosProcess("thanos-bucket", "tools", nil), func(p *process) {
			p.args, p.ready = []string{"tools", "bucket", "web", "--http-address=$ip:10902", bucket}, ""
		}),
	})
}

// victorias are VictoriaMetrics and VictoriaLogs, and their relatives that answer no queries.
func victorias() []*process {
	metrics := func(name, ready string, args ...string) *process {
		return &process{
			name: name, product: "victoria-metrics", port: 8428, ready: ready, status: []int{401},
			args: append([]string{
				"-httpListenAddr=$ip:8428", "-storageDataPath=$dir/data", "-promscrape.config=$dir/p.yml", "-search.latencyOffset=1s",
			}, args...),
			files: map[string]string{"p.yml": "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: node, static_configs: [{targets: [\"$ip:1\"]}]}]\n"},
		}
	}
	auth := func(name, config string) *process {
		return &process{
			name: name, product: "vmauth", port: 8427, ready: "/health", status: []int{401}, after: []string{"victoria-metrics"},
			args: []string{"-httpListenAddr=$ip:8427", "-auth.config=$dir/a.yml"}, files: map[string]string{"a.yml": config},
		}
	}
	logs := func(name, prefix string) *process {
		return &process{
			name: name, product: "victoria-logs", port: 9428, ready: prefix + "/health",
			args: []string{"-httpListenAddr=$ip:9428", "-storageDataPath=$dir/data", "-http.pathPrefix=" + prefix},
		}
	}
	return []*process{
		with(metrics("victoria-metrics", "/health"), func(p *process) { p.seed = hasSeries("/api/v1/query?query=up") }),
		metrics("victoria-metrics-prefix", "/vm/health", "-http.pathPrefix=/vm"),
		metrics("victoria-metrics-basic", "/health", "-httpAuth.username=reader", "-httpAuth.password=secret"),
		auth("vmauth", "unauthorized_user: {url_prefix: \"http://$(victoria-metrics):8428\"}\n"),
		// As before a cluster, whose vmselect has its API below this path.
		auth("vmauth-select", "unauthorized_user: {url_map: [{src_paths: [\"/select/0/prometheus/.*\"], drop_src_path_prefix_parts: 3, "+
			"url_prefix: \"http://$(victoria-metrics):8428\"}]}\n"),
		auth("vmauth-users", "users: [{username: reader, password: secret, url_prefix: \"http://$(victoria-metrics):8428\"}]\n"),
		{
			name: "vmagent", product: "vmagent", port: 8429, ready: "/health", files: map[string]string{"p.yml": "scrape_configs: []\n"},
			args: []string{
				"-httpListenAddr=$ip:8429", "-remoteWrite.url=http://127.0.0.1:1/api/v1/write", "-promscrape.config=$dir/p.yml",
				"-remoteWrite.tmpDataPath=$dir/data",
			},
		},
		{
			name: "vmalert", product: "vmalert", port: 8880, ready: "/health", after: []string{"victoria-metrics"},
			files: map[string]string{"r.yml": "groups: []\n"},
			args: []string{
				"-httpListenAddr=$ip:8880", "-datasource.url=http://$(victoria-metrics):8428", "-notifier.blackhole", "-rule=$dir/r.yml",
			},
		},
		with(logs("victoria-logs", ""), func(p *process) { p.seed = logsLines }),
		logs("victoria-logs-prefix", "/vl"),
	}
}

// cortexes stand for Mimir, which cannot be had.
func cortexes() []*process {
	cortex := func(name, auth string) *process {
		return &process{
			name: name, product: "cortex", port: 9009, ready: "/ready", args: []string{
				"-target=all", "-auth.enabled=" + auth, "-server.http-listen-address=$ip", "-server.http-listen-port=9009",
				"-server.grpc-listen-address=$ip", "-blocks-storage.backend=filesystem", "-blocks-storage.filesystem.dir=$dir/blocks",
				"-blocks-storage.tsdb.dir=$dir/tsdb", "-blocks-storage.bucket-store.sync-dir=$dir/sync", "-ring.store=inmemory",
				"-distributor.ring.store=inmemory", "-distributor.ring.instance-addr=$ip", "-ingester.lifecycler.addr=$ip",
				"-ingester.lifecycler.interface=lo", "-distributor.replication-factor=1", "-compactor.data-dir=$dir/compactor",
				"-memberlist.bind-addr=$ip", "-ruler-storage.backend=local", "-ruler-storage.local.directory=$dir/rules",
				"-alertmanager-storage.backend=local", "-alertmanager-storage.local.path=$dir/alerts",
				"-ruler.rule-path=$dir/loaded", "-alertmanager.storage.path=$dir/alertmanager", "-alertmanager.web.external-url=http://x/alertmanager",
				"-alertmanager.cluster.listen-address=", "-querier.frontend-address=$ip:9095", "-querier.store-gateway-addresses=$ip:9095",
			},
			files: map[string]string{"rules/none": "", "alerts/none": ""},
		}
	}
	querier := cortex("cortex-querier", "false")
	querier.args[0], querier.ready = "-target=querier", ""
	return []*process{cortex("cortex", "false"), cortex("cortex-tenants", "true"), querier}
}
