package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kubernaut.io/dynamic-toolset/internal/store"
)

// TestFilesBroken: input that cannot be read at all is one error, of one line.
func TestFilesBroken(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	tests := []struct{ name, in, want string }{
		{"empty", "", "it is empty"},
		{"blank", " \n\n", "no Kubernetes object in it"},
		{"comments only", "# nothing\n---\n# here\n", "no Kubernetes object in it"},
		{"prose", "hello world\n", "no Kubernetes object in it: document 1 (line 1): expected a Kubernetes object, with its kind"},
		{"values.yaml", "# my values\nreplicas: 3\n", "no Kubernetes object in it: document 1 (line 1): expected a Kubernetes object, with its kind"},
		{"a JSON array", "[" + svc("x", "a") + "]", "no Kubernetes object in it: document 1: expected a Kubernetes object, with its kind"},
		{"not YAML", "kind: Service\nmetadata:\n\tname: a\n", "line 3: not valid YAML: found character that cannot start any token"},
		{"not YAML, later", svcYAML("a") + "---\n" + svcYAML("b") + "---\nkind: Service\nkind Service\n", "line 9: not valid YAML: could not find expected ':'"},
		{"a template", "kind: Service\nmetadata:\n  name: {{ .Release.Name }}\n",
			`the document that begins in line 1: not valid YAML: invalid map key; it holds "{{": render templates first, as with helm template`},
		{"truncated", "{\n\"items\": [\n" + svc("x", "a") + ",\n{\"kind\": \"Serv", "line 4: the JSON ends in the middle of an object; was the output cut off?"},
		{"truncated between items", "{\n\"items\": [\n" + svc("x", "a") + ",\n", "line 4: the JSON ends in the middle of an object; was the output cut off?"},
		{"not JSON", "{\"items\": [\n" + svc("x", "a") + "\n" + svc("x", "b") + "]}", "line 3: not valid JSON: invalid character '{' after array element (expecting ',' or ']')"},
		{"text behind JSON", svc("x", "a") + "\noops", "line 2: not valid JSON: invalid character 'o' at start of value"},
		{"nested 100,000 deep", `{"kind":"Service","metadata":` + strings.Repeat("[", 100_000), "line 1: not valid JSON: exceeded max depth"},
		{"nested 100,000 deep in a List", `{"items":[` + strings.Repeat(`{"a":`, 100_000), "line 1: not valid JSON: exceeded max depth"},
		{"nested 100,000 deep in YAML", "a: " + strings.Repeat("[", 100_000), "the document that begins in line 1: not valid YAML: exceeded max depth of 10000"},
		{"aliases that multiply", bomb(), "the document that begins in line 1: its aliases make it larger than 32 MiB"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "the text is UTF-16; save it as UTF-8"},
		{"binary", "\x7fELF\x02\x01\x01\x00", "the document that begins in line 1: not valid YAML: control characters are not allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readText(t, tt.in)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff("standard input: "+tt.want, err.Error()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func svcYAML(name string) string { return "kind: Service\nmetadata: {name: " + name + "}\n" }

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat("*a"+strconv.Itoa(i-1)+",", 8), i-1)
	}
	return b.String()
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	t.Attr("req", "DTS-CLI-5")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, svc("x", "a"))
	tests := []struct {
		name  string
		paths []string
		want  string
	}{
		{"missing", []string{filepath.Join(dir, "no.yaml")}, filepath.Join(dir, "no.yaml") + ": no such file or directory"},
		{"a directory", []string{dir}, dir + ": it is a directory; name the files in it, each with a -f of its own"},
		{"below a file", []string{filepath.Join(file, "x")}, filepath.Join(file, "x") + ": not a directory"},
		{"after a good one", []string{file, dir}, dir + ": it is a directory; name the files in it, each with a -f of its own"},
		{"standard input twice", []string{"-", "-"}, `standard input ("-") can be read once only, it is named twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(t.Context(), tt.paths, strings.NewReader(svc("x", "b")), new(recorder), ReadOptions{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	err := describeFile("s.yaml", &fs.PathError{Op: "open", Path: "s.yaml", Err: syscall.EACCES})
	if want := "s.yaml: permission denied"; err.Error() != want || !errors.Is(err, os.ErrPermission) {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Read(t.Context(), nil, nil, new(recorder), ReadOptions{Namespace: "../x"}); err == nil {
		t.Error("a bad default namespace passes")
	}
}

// TestFilesRefused: one bad object is refused with the reason, and the others are read.
func TestFilesRefused(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	service := func(metadata, spec string) string {
		return `{"apiVersion":"v1","kind":"Service","metadata":` + metadata + `,"spec":` + spec + `}`
	}
	slice := func(rest string) string {
		return `{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"s","namespace":"x","labels":{"kubernetes.io/service-name":"a"}},` + rest + `}`
	}
	const named = `{"name":"b","namespace":"x"}`
	mega := strings.Repeat("x", 1<<20)
	tests := []struct{ name, item, want string }{
		{"null", `null`, "expected a Kubernetes object, with its kind"},
		{"a string", `"x"`, "expected a Kubernetes object, with its kind"},
		{"a list", `[1]`, "expected a Kubernetes object, with its kind"},
		{"no kind", `{}`, "expected a Kubernetes object, with its kind"},
		{"kind is no string", `{"kind":7}`, "expected a Kubernetes object, with its kind"},
		{"no name", service(`{}`, `{}`), "Service: metadata.name is missing"},
		{"name with slashes", service(`{"name":"../a"}`, `{}`), `Service: metadata.name: "../a" is no DNS label (lower-case letters, digits and -, 63 at most)`},
		{"name with a line break", service(`{"name":"a\nb"}`, `{}`), `Service: metadata.name: "a\nb" is no DNS label (lower-case letters, digits and -, 63 at most)`},
		{"name not UTF-8", service("{\"name\":\"a\xff\"}", `{}`), `Service: metadata.name: "a\ufffd" is no DNS label (lower-case letters, digits and -, 63 at most)`},
		{"name too long", service(`{"name":"`+mega+`"}`, `{}`), `Service: metadata.name: "` + mega[:60] + `"… is no DNS label (lower-case letters, digits and -, 63 at most)`},
		{"namespace a template", service(`{"name":"a","namespace":"{{ env.X }}"}`, `{}`), `Service: metadata.namespace: "{{ env.X }}" is no DNS label (lower-case letters, digits and -, 63 at most)`},
		{"port a string", service(named, `{"ports":[{"port":80},{"port":"http"}]}`), "Service x/b: spec.ports[1].port: this string is not valid here"},
		{"port a fraction", service(named, `{"ports":[{"port":80.5}]}`), "Service x/b: spec.ports[0].port: this number is not valid here"},
		{"port missing", service(named, `{"ports":[{"name":"x"}]}`), "Service x/b: spec.ports[0].port: 0 is no port number (1 to 65535)"},
		{"port too large", service(named, `{"ports":[{"port":65536}]}`), "Service x/b: spec.ports[0].port: 65536 is no port number (1 to 65535)"},
		{"ports an object", service(named, `{"ports":{}}`), "Service x/b: spec.ports: this object is not valid here"},
		{"port null", service(named, `{"ports":[null]}`), "Service x/b: spec.ports[0].port: 0 is no port number (1 to 65535)"},
		{"targetPort a list", service(named, `{"ports":[{"port":80,"targetPort":[]}]}`), "Service x/b: spec.ports[0].targetPort: this list is not valid here"},
		{"targetPort a fraction", service(named, `{"ports":[{"port":80,"targetPort":1e3}]}`), "Service x/b: spec.ports[0].targetPort: this number is not valid here"},
		{"targetPort negative", service(named, `{"ports":[{"port":80,"targetPort":-1}]}`), "Service x/b: spec.ports[0].targetPort: -1 is no port number (1 to 65535)"},
		{"targetPort hostile", service(named, `{"ports":[{"port":80,"targetPort":"a b"}]}`), `Service x/b: spec.ports[0].targetPort: "a b" holds characters that are not allowed there`},
		{"port name hostile", service(named, `{"ports":[{"port":80,"name":"\u001b[31m"}]}`), `Service x/b: spec.ports[0].name: "\x1b[31m" holds characters that are not allowed there`},
		{"appProtocol hostile", service(named, `{"ports":[{"port":80,"appProtocol":"<a>"}]}`), `Service x/b: spec.ports[0].appProtocol: "<a>" holds characters that are not allowed there`},
		{"protocol", service(named, `{"ports":[{"port":80,"protocol":"HTTP"}]}`), `Service x/b: spec.ports[0].protocol: "HTTP" is none of TCP, UDP, SCTP`},
		{"labels a list", service(`{"name":"b","namespace":"x","labels":[]}`, `{}`), "Service x/b: metadata.labels: this list is not valid here"},
		{"label a boolean", service(`{"name":"b","namespace":"x","labels":{"a.b/c":true}}`, `{}`), "Service x/b: metadata.labels[a.b/c]: this boolean is not valid here"},
		{"label value of 1 MiB", service(`{"name":"b","namespace":"x","labels":{"a":"`+mega+`"}}`, `{}`), `Service x/b: metadata.labels[a]: "` + mega[:60] + `"… is 1048576 bytes long, 63 are allowed`},
		{"label value a template", service(`{"name":"b","namespace":"x","labels":{"a":"{{x}}"}}`, `{}`), `Service x/b: metadata.labels[a]: "{{x}}" holds characters that are not allowed there`},
		{"label key hostile", service(`{"name":"b","namespace":"x","labels":{"a: b":"c"}}`, `{}`), `Service x/b: metadata.labels: the key: "a: b" holds characters that are not allowed there`},
		{"annotation key hostile", service(`{"name":"b","namespace":"x","annotations":{"kubernaut.io/toolset\u001b[31m":"c"}}`, `{}`), `Service x/b: metadata.annotations: the key: "kubernaut.io/toolset\x1b[31m" holds characters that are not allowed there`},
		{"selector hostile", service(named, `{"selector":{"a":"\n"}}`), `Service x/b: spec.selector[a]: "\n" holds characters that are not allowed there`},
		{"annotation a number", service(`{"name":"b","namespace":"x","annotations":{"a":1}}`, `{}`), "Service x/b: metadata.annotations.a: this number is not valid here"},
		{"time", service(`{"name":"b","namespace":"x","creationTimestamp":"yesterday"}`, `{}`), "Service x/b: metadata.creationTimestamp: this string is not valid here"},
		{"uid hostile", service(`{"name":"b","namespace":"x","uid":"a b"}`, `{}`), `Service x/b: metadata.uid: "a b" holds characters that are not allowed there`},
		{"type", service(named, `{"type":"Magic"}`), `Service x/b: spec.type: "Magic" is none of ClusterIP, NodePort, LoadBalancer, ExternalName`},
		{"clusterIP a name", service(named, `{"clusterIP":"evil.example.com"}`), `Service x/b: spec.clusterIP: "evil.example.com" is neither an IP address nor None`},
		{"externalName hostile", service(named, `{"type":"ExternalName","externalName":"a b"}`), `Service x/b: spec.externalName: "a b" holds characters that are not allowed there`},
		{"spec a string", service(named, `"x"`), "Service x/b: spec: this string is not valid here"},
		{"metadata a list", service(`[]`, `{}`), "Service: metadata: this list is not valid here"},
		{"slice address", slice(`"addressType":"IPv4","endpoints":[{"addresses":["x"]}]`), `EndpointSlice x/s: endpoints[0].addresses[0]: "x" is no IP address`},
		{"slice address type", slice(`"addressType":"x"`), `EndpointSlice x/s: addressType: "x" is none of IPv4, IPv6, FQDN`},
		{"slice port", slice(`"addressType":"IPv4","ports":[{"port":0}]`), "EndpointSlice x/s: ports[0].port: 0 is no port number (1 to 65535)"},
		{"slice ready", slice(`"endpoints":[{"conditions":{"ready":"yes"}}]`), "EndpointSlice x/s: endpoints[0].conditions.ready: this string is not valid here"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, report, err := readText(t, `{"items":[`+svc("x", "a")+","+tt.item+","+svc("x", "c")+`]}`)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"x/a", "x/c"}, rec.refs()); diff != "" {
				t.Errorf("the others: (-want +got)\n%s", diff)
			}
			if len(rec.slices) > 0 || report.Refused != 1 {
				t.Errorf("slices %v, %d refused", rec.slices, report.Refused)
			}
			if diff := cmp.Diff([]string{"standard input: items[1]: " + tt.want}, texts(report)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			code := store.WarningInvalid
			if strings.HasPrefix(tt.want, "expected a Kubernetes object") {
				code = store.WarningNotObject
			}
			if got := report.Warnings[0].Code; got != code {
				t.Errorf("code %s, want %s", got, code)
			}
		})
	}
}

// TestFilesOdd: what looks wrong but is not.
func TestFilesOdd(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	var ports []string
	for i := range 10_000 {
		ports = append(ports, fmt.Sprintf(`{"name":"p%d","port":%d}`, i, i+1))
	}
	rec, report, err := readText(t, `{"items":[{"kind":"Service","metadata":{"name":"many","labels":null,"annotations":{"kubernaut.io/toolset-description":"`+
		strings.Repeat("y", 1<<20)+`"}},"spec":{"ports":[`+strings.Join(ports, ",")+`]},"status":"whatever"}]}`)
	if err != nil || report.Refused > 0 {
		t.Fatal(err, texts(report))
	}
	s := rec.services[0]
	if len(s.Ports) != 501 || len(s.Annotations["kubernaut.io/toolset-description"]) != 4<<10 {
		t.Errorf("%d ports, %d bytes of annotation: want too many of both, and no more than that", len(s.Ports), len(s.Annotations["kubernaut.io/toolset-description"]))
	}
}

func TestFilesWithoutServices(t *testing.T) {
	t.Attr("req", "DTS-CLI-1")
	orphan := `{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s"},"addressType":"IPv4"}`
	tests := []struct {
		name, in string
		want     []string
	}{
		{"other kinds", strings.Repeat(`{"kind":"ConfigMap","apiVersion":"v1"}`, 8) + strings.Repeat(`{"kind":"Deployment","apiVersion":"apps/v1"}`, 4),
			[]string{"standard input: no Services in it (skipped 12 of other kinds)"}},
		{"an empty List", `{"kind":"List","items":[]}`, []string{"standard input: no Services in it"}},
		{"a slice of no Service", orphan, []string{"standard input: no Services in it (skipped 1 of other kinds)"}},
		{"a hostile kind", `{"kind":"a\u001b[31m\nb","apiVersion":"v1"}`, []string{"standard input: no Services in it (skipped 1 of other kinds)"}},
		{"all refused", `{"kind":"Service","apiVersion":"v1"}`, []string{
			"standard input: document 1: Service: metadata.name is missing", "standard input: no Services in it (refused 1)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, report, err := readText(t, tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, texts(report)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if code := report.Warnings[len(report.Warnings)-1].Code; code != store.WarningNoServices {
				t.Errorf("code %s", code)
			}
		})
	}
}

func TestFilesWarningsAreBounded(t *testing.T) {
	t.Attr("req", "DTS-SEC-3")
	_, report, err := readText(t, `{"items":[`+svc("x", "a")+strings.Repeat(",null", 1000)+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Warnings) != 100 || report.Suppressed != 900 || report.Refused != 1000 {
		t.Errorf("%d warnings, %d suppressed, %d refused", len(report.Warnings), report.Suppressed, report.Refused)
	}
	want := store.Warning{
		Code: store.WarningNotObject, File: "standard input", Place: "items[1]", Refused: true,
	}
	if diff := cmp.Diff(want, report.Warnings[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
