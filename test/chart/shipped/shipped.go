// Package shipped renders the Helm chart and parses its objects, for tests.
package shipped

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// Namespace is where the chart is installed unless a test says otherwise.
const Namespace = "kubernaut-system"

// Root is the folder of the module.
var Root = sync.OnceValues(func() (string, error) {
	out, err := run(context.Background(), "", "go", "env", "GOMOD")
	return filepath.Dir(strings.TrimSpace(string(out))), err
})

// Helm is the path of the program, which is built if it is not there.
var Helm = sync.OnceValues(func() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	out, err := run(context.Background(), root, filepath.Join(root, "test", "chart", "helm"))
	return strings.TrimSpace(string(out)), err
})

// Chart is the chart's folder.
func Chart() (string, error) {
	root, err := Root()
	return filepath.Join(root, "charts", "dynamic-toolset"), err
}

// Values are the files with values that the chart is tried with, by their names without .yaml.
func Values() (map[string]string, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(root, "test", "chart", "values", "*.yaml"))
	if err == nil && len(paths) == 0 {
		err = errors.New("test/chart/values has no files")
	}
	all := map[string]string{}
	for _, p := range paths {
		all[strings.TrimSuffix(filepath.Base(p), ".yaml")] = p
	}
	return all, err
}

// Template is helm template of the chart as a release, in Namespace unless args name another. The error is what helm said.
func Template(ctx context.Context, release string, args ...string) ([]byte, error) {
	helm, err := Helm()
	if err != nil {
		return nil, err
	}
	chart, err := Chart()
	if err != nil {
		return nil, err
	}
	all := append([]string{"template", release, chart, "--namespace", Namespace}, args...)
	return run(ctx, "", helm, all...)
}

// Render is Template as objects.
func Render(ctx context.Context, release string, args ...string) (Objects, error) {
	out, err := Template(ctx, release, args...)
	if err != nil {
		return nil, err
	}
	return Parse(out)
}

// Objects are those of manifests, in their order.
type Objects []*unstructured.Unstructured

// Parse reads manifests of many documents.
func Parse(manifests []byte) (Objects, error) {
	var all Objects
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("document %d: %w", len(all)+1, err)
		case len(o.Object) > 0:
			all = append(all, o)
		}
	}
}

// Kind are the objects of a kind.
func (all Objects) Kind(kinds ...string) Objects {
	var some Objects
	for _, o := range all {
		for _, k := range kinds {
			if o.GetKind() == k {
				some = append(some, o)
			}
		}
	}
	return some
}

// Config is the program's configuration file in them.
func (all Objects) Config() (string, error) {
	for _, o := range all.Kind("ConfigMap") {
		if text, ok, err := unstructured.NestedString(o.Object, "data", "config.yaml"); ok || err != nil {
			return text, err
		}
	}
	return "", errors.New("no ConfigMap has the key config.yaml")
}

func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", name, err, stderr.Bytes())
	}
	return out, nil
}
