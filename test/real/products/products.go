// Package products lists the real backends that the service is tested on: the source and the version of each, and how it is
// built once into the user's cache. No product needs another.
package products

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Product is a real program. One of Go, Debian and Maven says where it comes from.
type Product struct {
	Name    string
	Version string // what it is asked for, and says of itself; of Debian's packages the distribution chooses it
	Seconds int    // what building takes on two cores with nothing in any cache, about
	Go      *GoCommand
	Debian  *DebianCommand
	Maven   *MavenProgram
	Added   map[string]string // files, by path, that the module of Go gets before it is built
}

// GoCommand is a command of a Go module. Its module's replace directives hold for it, unlike with go install.
type GoCommand struct {
	Module, Version string
	Command         string // the package below the module
	Tags            string
	LDFlags         string
}

// DebianCommand is a program of a Debian package, which is unpacked and not installed: nothing is started, and root is not
// needed.
type DebianCommand struct {
	Packages []string // the first one has the program, the others what it loads
	Path     string   // in the package
}

// MavenProgram is a Java program: one jar with everything in it, or the jars of some artifacts and a class of ours that starts
// it.
type MavenProgram struct {
	Artifacts []string // group:artifact:version, and :jar:classifier where there is one
	Plugin    string   // group:artifact:version:zip of a plugin: its jars go to the others, its configuration beside them
	Main      string   // a class in the folder jvm
	Module    *Module
}

// Module is what Elasticsearch 8 wants below its home instead of on its class path.
type Module struct {
	Name       string
	Jars       []string // patterns of names
	Descriptor string
}

const common = "-X github.com/prometheus/common/version.Version="

func victoria(command, date, version string) string {
	return "-X github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=" + command + "-" + date + "-tags-v" + version + "-0-gabcdef"
}

func victoriaMetrics(command string) Product {
	return Product{Name: command, Version: "1.148.0", Seconds: 60, Go: &GoCommand{
		Module: "github.com/VictoriaMetrics/VictoriaMetrics", Version: "v1.148.0", Command: "app/" + command,
		LDFlags: victoria(command, "20260501-000000", "1.148.0"),
	}}
}

// tempoOrder has Tempo's codec registered after the two that it replaces. Since Go 1.21 packages are initialised in the order of
// their paths, where nothing else says so, and Tempo 1.5 panics at the first span that one of those two writes.
const tempoOrder = `package gogocodec

import (
	_ "github.com/jaegertracing/jaeger/pkg/gogocodec"
	_ "google.golang.org/grpc/encoding/proto"
)
`

// All are the products, the quick ones first.
func All() []Product {
	return []Product{
		{Name: "nginx", Seconds: 5, Debian: &DebianCommand{Packages: []string{"nginx"}, Path: "usr/sbin/nginx"}},
		{Name: "prometheus-debian", Seconds: 10, Debian: &DebianCommand{Packages: []string{"prometheus"}, Path: "usr/bin/prometheus"}},
		{Name: "pushgateway", Seconds: 5, Debian: &DebianCommand{
			Packages: []string{"prometheus-pushgateway"}, Path: "usr/bin/prometheus-pushgateway",
		}},
		{Name: "node-exporter", Seconds: 5, Debian: &DebianCommand{
			Packages: []string{"prometheus-node-exporter"}, Path: "usr/bin/prometheus-node-exporter",
		}},
		{Name: "blackbox-exporter", Seconds: 5, Debian: &DebianCommand{
			Packages: []string{"prometheus-blackbox-exporter"}, Path: "usr/bin/prometheus-blackbox-exporter",
		}},
		{Name: "elasticsearch-exporter", Seconds: 5, Debian: &DebianCommand{
			Packages: []string{"prometheus-elasticsearch-exporter"}, Path: "usr/bin/prometheus-elasticsearch-exporter",
		}},
		{Name: "influxdb", Seconds: 5, Debian: &DebianCommand{Packages: []string{"influxdb"}, Path: "usr/bin/influxd"}},
		{Name: "etcd", Seconds: 5, Debian: &DebianCommand{Packages: []string{"etcd-server"}, Path: "usr/bin/etcd"}},
		{Name: "zipkin", Version: "3.5.1", Seconds: 40, Maven: &MavenProgram{
			Artifacts: []string{"io.zipkin:zipkin-server:3.5.1:jar:exec"},
		}},
		{Name: "prom-label-proxy", Version: "0.12.0", Seconds: 40, Go: &GoCommand{
			Module: "github.com/prometheus-community/prom-label-proxy", Version: "v0.12.0",
		}},
		{Name: "opensearch", Version: "2.19.3", Seconds: 60, Maven: &MavenProgram{
			Artifacts: []string{
				"org.opensearch:opensearch:2.19.3", "org.opensearch.plugin:transport-netty4-client:2.19.3",
				"org.apache.logging.log4j:log4j-core:2.21.0",
			},
			Main: "OpenSearchNode",
		}},
		{Name: "opensearch-security", Version: "2.19.3", Seconds: 90, Maven: &MavenProgram{
			Artifacts: []string{
				"org.opensearch:opensearch:2.19.3", "org.opensearch.plugin:transport-netty4-client:2.19.3",
				"org.apache.logging.log4j:log4j-core:2.21.0",
			},
			Plugin: "org.opensearch.plugin:opensearch-security:2.19.3.0:zip", Main: "OpenSearchNode",
		}},
		{Name: "elasticsearch-7", Version: "7.17.28", Seconds: 60, Maven: &MavenProgram{
			Artifacts: []string{
				"org.elasticsearch:elasticsearch:7.17.28", "org.elasticsearch.plugin:transport-netty4-client:7.17.28",
				"org.apache.logging.log4j:log4j-core:2.17.1",
			},
			Main: "Elasticsearch7Node",
		}},
		{Name: "elasticsearch-8", Version: "8.6.2", Seconds: 60, Maven: &MavenProgram{
			Artifacts: []string{
				"org.elasticsearch:elasticsearch:8.6.2", "org.elasticsearch.plugin:transport-netty4:8.6.2",
				"org.apache.logging.log4j:log4j-core:2.18.0",
			},
			Main: "Elasticsearch8Node",
			Module: &Module{Name: "transport-netty4", Jars: []string{"transport-netty4-8.6.2.jar", "netty-*.jar"}, Descriptor: "description=x\n" +
				"version=8.6.2\nname=transport-netty4\njava.version=17\nelasticsearch.version=8.6.2\n" +
				"classname=org.elasticsearch.transport.netty4.Netty4Plugin\n"},
		}},
		victoriaMetrics("victoria-metrics"), victoriaMetrics("vmagent"), victoriaMetrics("vmalert"), victoriaMetrics("vmauth"),
		{Name: "victoria-logs", Version: "1.52.1", Seconds: 40, Go: &GoCommand{
			Module: "github.com/VictoriaMetrics/VictoriaLogs", Version: "v1.52.1", Command: "app/victoria-logs",
			LDFlags: victoria("victoria-logs", "20260601-000000", "1.52.1"),
		}},
		{Name: "oauth2-proxy", Version: "7.8.1", Seconds: 90, Go: &GoCommand{Module: "github.com/oauth2-proxy/oauth2-proxy/v7", Version: "v7.8.1"}},
		{Name: "alertmanager", Version: "0.28.1", Seconds: 100, Go: &GoCommand{
			Module: "github.com/prometheus/alertmanager", Version: "v0.28.1", Command: "cmd/alertmanager", LDFlags: common + "0.28.1",
		}},
		{Name: "jaeger", Version: "1.62.0", Seconds: 240, Go: &GoCommand{
			Module: "github.com/jaegertracing/jaeger", Version: "v1.62.0", Command: "cmd/all-in-one",
			LDFlags: "-X github.com/jaegertracing/jaeger/pkg/version.latestVersion=v1.62.0",
		}},
		// Without the tag a sidecar's first answer panics, and an empty version is no version.
		{Name: "thanos", Version: "0.40.1", Seconds: 180, Go: &GoCommand{
			Module: "github.com/thanos-io/thanos", Version: "v0.40.1", Command: "cmd/thanos", Tags: "slicelabels", LDFlags: common + "0.40.1",
		}},
		{Name: "loki", Version: "3.7.8", Seconds: 280, Go: &GoCommand{
			Module: "github.com/grafana/loki/v3", Version: "v3.7.8", Command: "cmd/loki",
			LDFlags: "-X github.com/grafana/loki/v3/pkg/util/build.Version=3.7.8",
		}},
		{Name: "prometheus-3", Version: "3.5.0", Seconds: 300, Go: &GoCommand{
			Module: "github.com/prometheus/prometheus", Version: "v0.305.0", Command: "cmd/prometheus", LDFlags: common + "3.5.0",
		}},
		{Name: "tempo", Version: "1.5.0", Seconds: 350, Go: &GoCommand{
			Module: "github.com/grafana/tempo", Version: "v1.5.0", Command: "cmd/tempo", LDFlags: "-checklinkname=0",
		}, Added: map[string]string{"pkg/gogocodec/order.go": tempoOrder}},
		{Name: "cortex", Version: "1.19.0", Seconds: 350, Go: &GoCommand{
			Module: "github.com/cortexproject/cortex", Version: "v1.19.0", Command: "cmd/cortex", Tags: "slicelabels", LDFlags: common + "1.19.0",
		}},
		{Name: "jaeger-2", Version: "2.13.0", Seconds: 600, Go: &GoCommand{
			Module: "github.com/jaegertracing/jaeger", Version: "v1.76.0", Command: "cmd/jaeger",
			LDFlags: "-X github.com/jaegertracing/jaeger/internal/version.latestVersion=v2.13.0",
		}},
	}
}

// Find is the product of that name.
func Find(name string) (Product, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(p Product) bool { return p.Name == name }); i >= 0 {
		return all[i], true
	}
	return Product{}, false
}

// Root is the folder of all products in the user's cache.
func Root() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding a folder for the products: %w", err)
	}
	return filepath.Join(cache, "dynamic-toolset", "real"), nil
}

// Folder is where the product is, or would be. What it was built from is written in it last, in the file "built-from".
func (p Product) Folder(root string) string {
	name := p.Name
	if p.Version != "" {
		name += "-" + p.Version
	}
	return filepath.Join(root, name)
}
