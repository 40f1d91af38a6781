// Package doctor checks whether HolmesGPT can use the published document: HolmesGPT's pods, their mounts and their
// environment. It is pure: package cluster reads the facts, and package view makes the text.
package doctor

import (
	"cmp"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/toolset"
)

// Workload is a Deployment, StatefulSet or DaemonSet, or a ReplicaSet or Pod of which no such controller is known.
type Workload struct {
	Kind string
	backend.Ref
	Pod   corev1.PodSpec
	Owner string // its controller, as "Kind name"; "" for none
}

// RunBy reports whether other is w, is the controller of w, or has the same controller.
func (w *Workload) RunBy(other Workload) bool {
	switch {
	case other.Namespace != w.Namespace:
		return false
	case other.Kind == w.Kind && other.Name == w.Name:
		return true
	}
	return w.Owner != "" && (w.Owner == other.Kind+" "+other.Name || w.Owner == other.Owner)
}

// Kinds of Object.
const (
	KindSecret    = "Secret"
	KindConfigMap = "ConfigMap"
)

// Object is a Secret or ConfigMap that a container's environment refers to.
type Object struct {
	Kind string
	backend.Ref
}

// Keys holds the keys of an Object. Facts never hold values.
type Keys struct {
	Unseen   bool // the user may not read it
	Exists   bool
	Names    []string
	Unlisted bool // there are more, of unknown names
}

// Right is a permission that a user needs to read an object.
type Right struct {
	Verb, Group, Resource string
	Namespace             string // "": all
}

// Facts are the input of the checks.
type Facts struct {
	ConfigMap backend.Ref // what is published
	Exists    bool        // it does
	Document  string      // HolmesGPT's in it, "" for none
	Needs     Needs       // of the document
	Workloads []Workload  // those that concern it, of all namespaces that the user may read
	Keys      map[Object]Keys
	Viewers   []rbacv1.Subject // may read all of OpenShift's monitoring
	Unseen    []Right          // what the user lacks
}

func (f *Facts) unseen(resource string) bool {
	return slices.ContainsFunc(f.Unseen, func(r Right) bool { return r.Resource == resource })
}

// Concerns reports whether a workload runs HolmesGPT or mounts the ConfigMap.
func (f *Facts) Concerns(w *Workload) bool { return f.container(w) != nil }

// container returns HolmesGPT's container of a workload: by image, else the one that mounts the ConfigMap, else nil.
func (f *Facts) container(w *Workload) *corev1.Container {
	for i := range w.Pod.Containers {
		if isHolmes(w.Pod.Containers[i].Image) {
			return &w.Pod.Containers[i]
		}
	}
	if w.Namespace != f.ConfigMap.Namespace {
		return nil
	}
	for i := range w.Pod.Containers {
		if m, _ := f.mount(w, &w.Pod.Containers[i]); m != nil {
			return &w.Pod.Containers[i]
		}
	}
	return nil
}

// isHolmes reports whether an image is that of HolmesGPT's chart or Robusta's.
func isHolmes(image string) bool {
	name := path.Base(image)
	if at := strings.IndexAny(name, ":@"); at >= 0 {
		name = name[:at]
	}
	return name == "holmes" || name == "holmesgpt"
}

// mount returns where a container mounts the ConfigMap, nil if it does not, and what of it is mounted. A directory
// counts before one file of it.
func (f *Facts) mount(
	w *Workload, c *corev1.Container,
) (found *corev1.VolumeMount, what corev1.ConfigMapProjection) {
	for i := range w.Pod.Volumes {
		for _, from := range projections(&w.Pod.Volumes[i]) {
			if from.Name != f.ConfigMap.Name {
				continue
			}
			for j := range c.VolumeMounts {
				m := &c.VolumeMounts[j]
				if m.Name == w.Pod.Volumes[i].Name && (found == nil || !isDirectory(found) && isDirectory(m)) {
					found, what = m, from
				}
			}
		}
	}
	return found, what
}

// projections returns what a volume has of ConfigMaps: of one, or of several in a projected volume.
func projections(v *corev1.Volume) (list []corev1.ConfigMapProjection) {
	if own := v.ConfigMap; own != nil {
		list = append(list, corev1.ConfigMapProjection{
			LocalObjectReference: own.LocalObjectReference, Items: own.Items, Optional: own.Optional,
		})
	}
	if v.Projected != nil {
		for i := range v.Projected.Sources {
			if from := v.Projected.Sources[i].ConfigMap; from != nil {
				list = append(list, *from)
			}
		}
	}
	return list
}

// isDirectory reports whether a mount has the whole volume. A mount by subPath is never updated.
func isDirectory(m *corev1.VolumeMount) bool { return m.SubPath == "" && m.SubPathExpr == "" }

// written returns the path in HolmesGPT's container c of the file that a sidecar of this service writes. Both
// containers mount one volume. The path is "" without such a sidecar.
func written(w *Workload, c *corev1.Container) string {
	for _, list := range [][]corev1.Container{w.Pod.InitContainers, w.Pod.Containers} {
		for i := range list {
			out := outDirectory(&list[i])
			for _, own := range list[i].VolumeMounts {
				rest, below := strings.CutPrefix(out+"/", strings.TrimRight(own.MountPath, "/")+"/")
				for _, seen := range c.VolumeMounts {
					if out != "" && below && seen.Name == own.Name && seen.SubPath == own.SubPath {
						return path.Join(seen.MountPath, rest, toolset.KeyHolmesGPT)
					}
				}
			}
		}
	}
	return ""
}

// outDirectory returns the directory that a container with "serve --out" writes, "" for any other container.
func outDirectory(c *corev1.Container) string {
	words := slices.Concat(c.Command, c.Args)
	if !slices.Contains(words, "serve") {
		return ""
	}
	for i, word := range words {
		if dir, is := strings.CutPrefix(word, "--out="); is {
			return path.Clean(dir)
		}
		if word == "--out" && i+1 < len(words) {
			return path.Clean(words[i+1])
		}
	}
	return ""
}

// agents returns the workloads that concern the ConfigMap, sorted.
func (f *Facts) agents() (list []*Workload) {
	for i := range f.Workloads {
		if f.Concerns(&f.Workloads[i]) {
			list = append(list, &f.Workloads[i])
		}
	}
	slices.SortFunc(list, func(a, b *Workload) int {
		return cmp.Or(a.Ref.Compare(b.Ref), strings.Compare(a.Kind, b.Kind))
	})
	return list
}

// References returns the Secrets and ConfigMaps that hold the checked variables of HolmesGPT, each once.
func (f *Facts) References() (list []Object) {
	for _, w := range f.agents() {
		e := &examination{facts: f, workload: w, container: f.container(w)}
		for _, name := range append(f.Needs.names(), Location, Interval, Patience, OpenShift) {
			_, sources, _ := e.lookup(name)
			for _, s := range sources {
				if !slices.Contains(list, s.Object) {
					list = append(list, s.Object)
				}
			}
		}
	}
	return list
}
