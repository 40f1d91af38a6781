// Package doctor checks whether HolmesGPT can use what is published: the pods that run it, what they mount, and what is in
// their environment. It is pure: package cluster gathers the facts, and package view has the words.
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

// Workload is a Deployment, StatefulSet or DaemonSet, or a ReplicaSet or Pod of which none of these is known.
type Workload struct {
	Kind string
	backend.Ref
	Pod   corev1.PodSpec
	Owner string // its controller, as "Kind name"; "" for none
}

// RunBy reports whether other is w, runs it, or is run by the same.
func (w *Workload) RunBy(other Workload) bool {
	return other.Namespace == w.Namespace &&
		(other.Kind == w.Kind && other.Name == w.Name || w.Owner != "" && (w.Owner == other.Kind+" "+other.Name || w.Owner == other.Owner))
}

// Kinds of Object.
const (
	KindSecret    = "Secret"
	KindConfigMap = "ConfigMap"
)

// Object is what a container's environment refers to.
type Object struct {
	Kind string
	backend.Ref
}

// Keys are those of an Object. No value is ever among the facts.
type Keys struct {
	Unseen   bool // the user may not read it
	Exists   bool
	Names    []string
	Unlisted bool // there are more, of unknown names
}

// Right is what a user needs in order to see something.
type Right struct {
	Verb, Group, Resource string
	Namespace             string // "": all
}

// Facts are what the checks look at.
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

// container is the one of a workload that is HolmesGPT's: by its image, else the one that mounts the ConfigMap; nil for none.
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

// isHolmes reports whether an image is one of those that HolmesGPT's chart and Robusta's have.
func isHolmes(image string) bool {
	name := path.Base(image)
	if at := strings.IndexAny(name, ":@"); at >= 0 {
		name = name[:at]
	}
	return name == "holmes" || name == "holmesgpt"
}

// mount is where a container mounts the ConfigMap.
func (f *Facts) mount(w *Workload, c *corev1.Container) (*corev1.VolumeMount, *corev1.Volume) {
	for i := range w.Pod.Volumes {
		volume := &w.Pod.Volumes[i]
		if volume.ConfigMap == nil || volume.ConfigMap.Name != f.ConfigMap.Name {
			continue
		}
		if m := mountOf(c, volume.Name); m != nil {
			return m, volume
		}
	}
	return nil, nil
}

func mountOf(c *corev1.Container, volume string) *corev1.VolumeMount {
	i := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
	if i < 0 {
		return nil
	}
	return &c.VolumeMounts[i]
}

// written is the file that a sidecar of this service writes, as HolmesGPT's container c sees it: both mount one volume. ""
// where there is none.
func written(w *Workload, c *corev1.Container) string {
	for _, list := range [][]corev1.Container{w.Pod.InitContainers, w.Pod.Containers} {
		for i := range list {
			out := outDirectory(&list[i])
			for _, own := range list[i].VolumeMounts {
				rest, below := strings.CutPrefix(out+"/", strings.TrimRight(own.MountPath, "/")+"/")
				if seen := mountOf(c, own.Name); out != "" && below && seen != nil && seen.SubPath == own.SubPath {
					return path.Join(seen.MountPath, rest, toolset.KeyHolmesGPT)
				}
			}
		}
	}
	return ""
}

// outDirectory is where a container that runs "serve --out" writes, "" for any other.
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

// agents are the workloads that concern the ConfigMap, in order.
func (f *Facts) agents() (list []*Workload) {
	for i := range f.Workloads {
		if f.Concerns(&f.Workloads[i]) {
			list = append(list, &f.Workloads[i])
		}
	}
	slices.SortFunc(list, func(a, b *Workload) int { return cmp.Or(a.Ref.Compare(b.Ref), strings.Compare(a.Kind, b.Kind)) })
	return list
}

// References are the Secrets and ConfigMaps from which HolmesGPT takes what matters here, each once.
func (f *Facts) References() (list []Object) {
	for _, w := range f.agents() {
		e := &examination{facts: f, workload: w, container: f.container(w)}
		for _, name := range append(f.Needs.names(), Location, Interval, Patience, OpenShift) {
			list = append(list, e.sources(name)...)
		}
	}
	slices.SortFunc(list, func(a, b Object) int { return cmp.Or(a.Ref.Compare(b.Ref), strings.Compare(a.Kind, b.Kind)) })
	return slices.Compact(list)
}
