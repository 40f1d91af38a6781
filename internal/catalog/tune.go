package catalog

import (
	"path"
	"slices"
	"time"
)

// Tuning is what the configuration changes about one type. Its zero value changes nothing.
type Tuning struct {
	// Off: nothing of the type is probed or written.
	Off bool
	// Namespaces are patterns, as path.Match has them, for the only ones where it is looked for; none means all.
	Namespaces []string
	// Labels: a Service that has all labels of one of the maps is recognised as by a chart's own.
	Labels []map[string]string
	// HealthPath is asked instead of the catalog's health checks, and has to be answered with 200. "" leaves those.
	HealthPath string
	// Timeout of one request and Tries of one check; 0 leaves those of all types.
	Timeout time.Duration
	Tries   int
}

// Tune changes the types that are named, before the catalog is used. Names that it has not are left out.
func (c *Catalog) Tune(types map[string]Tuning) {
	for _, t := range c.Types {
		t.Tuning = types[t.Type]
		for _, labels := range t.Tuning.Labels {
			rule := Rule{
				Labels:  map[string]Values{},
				Because: "the configuration says so (types." + t.Type + ".labels)",
			}
			for k, v := range labels {
				rule.Labels[k] = Values{v}
			}
			t.Detect.Strong = append(t.Detect.Strong, rule)
		}
		if t.Tuning.HealthPath != "" {
			t.Probe.Health = []Check{{Get: t.Tuning.HealthPath}}
		}
	}
}

// LookedForIn reports whether the configuration lets the type be looked for in a namespace.
func (t *Type) LookedForIn(namespace string) bool {
	fits := func(pattern string) bool {
		ok, err := path.Match(pattern, namespace)
		return ok && err == nil
	}
	return !t.Tuning.Off && (len(t.Tuning.Namespaces) == 0 || slices.ContainsFunc(t.Tuning.Namespaces, fits))
}
