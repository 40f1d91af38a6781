package catalog

import (
	"path"
	"slices"
	"time"
)

// Tuning is what the configuration changes about one type. Its zero value changes nothing.
type Tuning struct {
	// Off: no backend of the type is probed or written.
	Off bool
	// Namespaces are patterns in the syntax of path.Match. The type is looked for only in matching namespaces; an empty
	// list means all.
	Namespaces []string
	// Labels: a Service with all labels of one of the maps is recognised as if a chart's label had matched.
	Labels []map[string]string
	// HealthPath is requested instead of the catalog's health checks, and must be answered with 200. "" keeps those
	// checks.
	HealthPath string
	// Timeout of one request and Tries of one check; 0 keeps the values for all types.
	Timeout time.Duration
	Tries   int
}

// Tune changes the named types. It must be called before the catalog is used, and ignores unknown names.
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
		ok, _ := path.Match(pattern, namespace) // the configuration checks the patterns
		return ok
	}
	return !t.Tuning.Off && (len(t.Tuning.Namespaces) == 0 || slices.ContainsFunc(t.Tuning.Namespaces, fits))
}
