//go:build chart

// Package chart checks everything that is shipped beside the program: the chart, the manifests that are rendered from it, the alert
// rules, the dashboard and the values for HolmesGPT's charts. Run it with: make test-chart
package chart

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"

	"kubernaut.io/dynamic-toolset/internal/config"
	"kubernaut.io/dynamic-toolset/test/chart/shipped"
	"kubernaut.io/dynamic-toolset/test/program"
)

var update = flag.Bool("update", false, "write the expected files in testdata anew")

// values are the files of values by name.
func values(t *testing.T) map[string]string {
	t.Helper()
	all, err := shipped.Values()
	check(t, err)
	return all
}

// each runs a test with the objects of each file of values.
func each(t *testing.T, test func(t *testing.T, r *release)) {
	t.Helper()
	all := values(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, render(t, "--values", all[name]))
		})
	}
}

// release is the chart rendered, and decoded as strictly as the API server does on demand.
type release struct {
	objects shipped.Objects
	typed   []runtime.Object
	config  *config.Config
	text    string // the configuration file
}

func render(t *testing.T, args ...string) *release {
	t.Helper()
	objects, err := shipped.Render(t.Context(), "dynamic-toolset", args...)
	check(t, err)
	r := &release{objects: objects}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, o := range objects {
		if !scheme.Scheme.Recognizes(o.GroupVersionKind()) {
			continue // a custom resource
		}
		data, err := o.MarshalJSON()
		check(t, err)
		typed, _, err := decoder.Decode(data, nil, nil)
		check(t, err)
		r.typed = append(r.typed, typed)
	}
	r.text, err = objects.Config()
	check(t, err)
	r.config, err = config.Parse("config.yaml", []byte(r.text))
	check(t, err)
	return r
}

// all are the objects of one type.
func all[T runtime.Object](r *release) (list []T) {
	for _, o := range r.typed {
		if one, ok := o.(T); ok {
			list = append(list, one)
		}
	}
	return list
}

func only[T runtime.Object](t *testing.T, r *release) T {
	t.Helper()
	list := all[T](r)
	if len(list) != 1 {
		t.Fatalf("%d of %T, want one", len(list), *new(T))
	}
	return list[0]
}

func (r *release) pod(t *testing.T) (corev1.PodTemplateSpec, corev1.Container) {
	t.Helper()
	template := only[*appsv1.Deployment](t, r).Spec.Template
	if len(template.Spec.Containers) != 1 {
		t.Fatalf("%d containers", len(template.Spec.Containers))
	}
	return template, template.Spec.Containers[0]
}

// custom is the one custom resource of a kind.
func (r *release) custom(t *testing.T, kind string) map[string]any {
	t.Helper()
	list := r.objects.Kind(kind)
	if len(list) != 1 {
		t.Fatalf("%d of the kind %s, want one", len(list), kind)
	}
	return list[0].Object
}

// run runs the program and returns what it printed; a failure ends the test.
func run(t *testing.T, in string, args ...string) string {
	t.Helper()
	return command(t, in, program.Binary(t), args...)
}

func command(t *testing.T, in, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(in)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out.String())
	}
	return out.String()
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := shipped.Root()
	check(t, err)
	return dir
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{root(t)}, path...)...))
	check(t, err)
	return string(data)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	check(t, os.WriteFile(path, []byte(text), 0o600))
}

// golden compares got with a file in testdata, or writes it under -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
