//go:build real

package real

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNames sees to it that every process has a product, and that no two rows have one name.
func TestNames(t *testing.T) {
	t.Attr("req", "DTS-QA-4")
	for _, p := range all() {
		if product(p.product).Name == "" {
			t.Errorf("%s: there is no product %q", p.name, p.product)
		}
	}
	names := map[string]bool{}
	for _, r := range table() {
		name := r.process + " like " + r.like
		if names[name] {
			t.Errorf("two rows are called %q", name)
		}
		names[name] = true
	}
}

// TestVerdicts asks the service about every row of the table at once.
func TestVerdicts(t *testing.T) {
	t.Attr("req", "DTS-QA-4 DTS-PRB-10")
	rows := table()
	var list []service
	for i, r := range rows {
		if p := shared.processes[r.process]; p != nil {
			list = append(list, r.service(shared, i))
		} else if !slices.Contains(shared.without, r.process) {
			t.Errorf("row %d: no process is called %s", i, r.process)
		}
	}
	results := shared.discover(t, list)
	for i, r := range rows {
		t.Run(r.process+" like "+r.like, func(t *testing.T) {
			shared.need(t, r.process)
			if p := shared.processes[r.process]; r.port.number != 0 && r.port.number != p.port {
				shared.need(t, "nginx")
			}
			judge(t, r.want, results[r.namespace(i)+"/"+r.name], func() string { return shared.version(t, r.process) })
		})
	}
}

// namespace is one for each row, so that no Service is another's duplicate by its name.
func (r row) namespace(i int) string { return fmt.Sprintf("%s-%d", r.process, i) }

// service is the row's Service. Where its port is not the process's own, it has an address at which nginx leads there.
func (r row) service(l *lab, i int) service {
	p := l.processes[r.process]
	s := service{namespace: r.namespace(i), name: r.name, labels: r.labels, annotations: r.notes, ip: p.ip, ports: []port{r.port}}
	if s.ports[0].number == 0 {
		s.ports[0].number = p.port
	}
	if s.ports[0].number != p.port {
		s.ip = l.forwarded(p, s.ports[0].number)
	}
	return s
}

var printedVersion = regexp.MustCompile(`version (\S+)`)

// version is what the process ought to say of itself. Debian's programs print theirs.
func (l *lab) version(t *testing.T, name string) string {
	t.Helper()
	p := product(l.processes[name].product)
	if p.Version != "" {
		return p.Version
	}
	found := printedVersion.FindStringSubmatch(l.printed(t, l.processes[name], "--version"))
	if found == nil {
		t.Fatalf("%s prints no version", name)
	}
	return found[1]
}

// TestAdvice asks why a backend whose base path nothing names is not taken: the answer is how to say it.
func TestAdvice(t *testing.T) {
	t.Attr("req", "DTS-QA-4 DTS-CLI-4")
	shared.need(t, "nginx", "prometheus")
	var list []service
	for _, f := range fronts() {
		if f.name == "base-path" {
			list = append(list, f.service(shared, false))
		}
	}
	if p := shared.processes["loki-prefix"]; p != nil {
		list = append(list, service{namespace: "logs", name: "loki", labels: chart("loki", "single-binary"), ip: p.ip, ports: []port{{name: "http-metrics", number: p.port}}})
	}
	file := shared.file(t, list)
	for _, s := range list {
		said, _ := shared.tool(t, "explain", "--probe=direct", "-f", file, "-n", s.namespace, s.namespace+"/"+s.name)
		if !strings.Contains(said, "kubernaut.io/toolset-path=") {
			t.Errorf("explain %s/%s does not say how to name the base path:\n%s", s.namespace, s.name, said)
		}
		if strings.Contains(said, "toolset-type=custom") {
			t.Errorf("explain %s/%s advises a custom toolset:\n%s", s.namespace, s.name, said)
		}
	}
}
