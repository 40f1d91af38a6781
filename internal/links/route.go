package links

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// conditions are what a controller says about an object at each place where it is to be served.
type conditions []struct {
	Conditions []struct {
		Type   string `json:"type"`
		Status string `json:"status"`
	} `json:"conditions"`
}

// refused reports whether the condition is false wherever it is told, as where another namespace had the host first.
func (c conditions) refused(condition string) (refused bool) {
	for _, place := range c {
		for _, said := range place.Conditions {
			if said.Type == condition && said.Status == "True" {
				return false
			}
			refused = refused || said.Type == condition && said.Status == "False"
		}
	}
	return refused
}

// target is a Service, or something else, with its share of the requests; nil is the usual one.
type target struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Port      int32  `json:"port"`
	Weight    *int32 `json:"weight"`
	Filters   []struct {
		Type string `json:"type"`
	} `json:"filters"`
}

func (t *target) isService() bool { return t.Group == "" && (t.Kind == "" || t.Kind == "Service") }

// only is the target that gets all requests; nil where none or several do.
func only(targets []target) *target {
	targets = slices.DeleteFunc(slices.Clone(targets), func(t target) bool { return t.Weight != nil && *t.Weight == 0 })
	if len(targets) != 1 || !targets[0].isService() {
		return nil
	}
	return &targets[0]
}

// readRoute reads an OpenShift Route.
func readRoute(decode Decode) ([]way, error) {
	var in struct {
		object
		Spec struct {
			Host           string   `json:"host"`
			Path           string   `json:"path"`
			WildcardPolicy string   `json:"wildcardPolicy"`
			To             target   `json:"to"`
			Alternate      []target `json:"alternateBackends"`
			Port           struct {
				TargetPort *intstr.IntOrString `json:"targetPort"`
			} `json:"port"`
			TLS *struct{} `json:"tls"`
		} `json:"spec"`
		Status struct {
			Ingress conditions `json:"ingress"`
		} `json:"status"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	s, to := &in.Spec, only(append([]target{in.Spec.To}, in.Spec.Alternate...))
	base, ok := basePath(s.Path)
	if to == nil || !ok || s.WildcardPolicy == "Subdomain" || in.rewrites(base) || in.Status.Ingress.refused("Admitted") {
		return nil, nil
	}
	port := ""
	if s.Port.TargetPort != nil {
		port = s.Port.TargetPort.String()
	}
	return []way{{to.Name, backend.Exposure{Port: port, Pods: true, Scheme: scheme(s.TLS != nil), Host: s.Host, Path: base}}}, nil
}

// httpRule is one of an HTTPRoute.
type httpRule struct {
	Matches []struct {
		Path *struct {
			Type  string  `json:"type"`
			Value *string `json:"value"`
		} `json:"path"`
		Headers     []any  `json:"headers"`
		QueryParams []any  `json:"queryParams"`
		Method      string `json:"method"`
	} `json:"matches"`
	BackendRefs []target `json:"backendRefs"`
	Filters     []struct {
		Type string `json:"type"`
	} `json:"filters"`
}

// gateway is where an HTTPRoute is served, or a Service of a mesh.
type gateway struct {
	Kind        string `json:"kind"`
	SectionName string `json:"sectionName"`
	Port        int32  `json:"port"`
}

// plain: a listener without TLS, as its port or its usual name says. The Gateway itself is not read.
func (g *gateway) plain() bool {
	return g.Port == 80 || g.Port == 0 && strings.HasPrefix(g.SectionName, "http") && !strings.HasPrefix(g.SectionName, "https")
}

func readHTTPRoute(decode Decode) (ways []way, err error) {
	var in struct {
		object
		Metadata struct {
			Namespace string `json:"namespace"`
		} `json:"metadata"`
		Spec struct {
			ParentRefs []gateway  `json:"parentRefs"`
			Hostnames  []string   `json:"hostnames"`
			Rules      []httpRule `json:"rules"`
		} `json:"spec"`
		Status struct {
			Parents conditions `json:"parents"`
		} `json:"status"`
	}
	if err := decode(&in); err != nil || in.Status.Parents.refused("Accepted") {
		return nil, err
	}
	gateways := slices.DeleteFunc(in.Spec.ParentRefs, func(g gateway) bool { return g.Kind != "" && g.Kind != "Gateway" })
	if len(gateways) == 0 {
		return nil, nil
	}
	tls := slices.ContainsFunc(gateways, func(g gateway) bool { return !g.plain() })
	for i := range in.Spec.Rules {
		rule := &in.Spec.Rules[i]
		to := only(rule.BackendRefs)
		if to == nil || to.Namespace != "" && to.Namespace != in.Metadata.Namespace {
			continue
		}
		for _, base := range rule.bases() {
			if rule.rewrites(to, base) {
				continue
			}
			for _, host := range in.Spec.Hostnames {
				port := strconv.Itoa(int(to.Port))
				ways = append(ways, way{to.Name, backend.Exposure{Port: port, Scheme: scheme(tls), Host: host, Path: base}})
			}
		}
	}
	return ways, nil
}

// bases are the paths below which any request of a browser matches.
func (r *httpRule) bases() (bases []string) {
	if len(r.Matches) == 0 {
		return []string{""}
	}
	for i := range r.Matches {
		m, path := &r.Matches[i], "/"
		if len(m.Headers) > 0 || len(m.QueryParams) > 0 || m.Method != "" {
			continue
		}
		if p := m.Path; p != nil && p.Type != "" && p.Type != "PathPrefix" {
			continue
		} else if p != nil && p.Value != nil {
			path = *p.Value
		}
		if base, ok := basePath(path); ok {
			bases = append(bases, base)
		}
	}
	return bases
}

// rewrites is rewrites of an Ingress for what filters do. An extension is like middleware there.
func (r *httpRule) rewrites(to *target, base string) bool {
	return slices.ContainsFunc(append(slices.Clone(r.Filters), to.Filters...), func(f struct {
		Type string `json:"type"`
	},
	) bool {
		return f.Type == "URLRewrite" || f.Type == "RequestRedirect" || f.Type == "ExtensionRef" && base != ""
	})
}
