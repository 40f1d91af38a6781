package links

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// conditions are those that a controller reports for each gateway or router of an object.
type conditions []struct {
	Conditions []struct {
		Type   string `json:"type"`
		Status string `json:"status"`
	} `json:"conditions"`
}

// refused reports whether the condition is reported as false and nowhere as true. So it is if another namespace had the
// host first.
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

// target is a Service, or another object, that gets a share of the requests. No weight means an equal share.
type target struct {
	Group     string   `json:"group"`
	Kind      string   `json:"kind"`
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Port      int32    `json:"port"`
	Weight    *int32   `json:"weight"`
	Filters   []filter `json:"filters"`
}

type filter struct {
	Type string `json:"type"`
}

func (t *target) isService() bool { return t.Group == "" && (t.Kind == "" || t.Kind == "Service") }

// used returns the Services that get requests, and why they give no link if several targets share the requests.
func used(targets []target) (services []target, not backend.NoLink) {
	services = slices.DeleteFunc(slices.Clone(targets),
		func(t target) bool { return t.Weight != nil && *t.Weight == 0 })
	if len(services) > 1 {
		not = backend.NoLinkShared
	}
	return slices.DeleteFunc(services, func(t target) bool { return !t.isService() }), not
}

// readRoute reads an OpenShift Route.
func readRoute(decode Decode) (ways []way, err error) {
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
	s := &in.Spec
	services, not := used(append([]target{s.To}, s.Alternate...))
	base, noBase := basePath(s.Path)
	switch {
	case s.WildcardPolicy == "Subdomain":
		not = backend.NoLinkHost
	case in.says().rewrites(base):
		not = backend.NoLinkRewritten
	case in.Status.Ingress.refused("Admitted"):
		not = backend.NoLinkNotAdmitted
	}
	port := ""
	if s.Port.TargetPort != nil {
		port = s.Port.TargetPort.String()
	}
	for i := range services {
		ways = append(ways, way{"", services[i].Name, backend.Exposure{
			Port: port, Pods: true, Scheme: scheme(s.TLS != nil), Host: s.Host, Path: base, Not: cmp.Or(noBase, not),
		}})
	}
	return ways, nil
}

// httpRule is a rule of an HTTPRoute.
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
	Filters     []filter `json:"filters"`
}

// gateway is the parent of an HTTPRoute: a Gateway, or a Service of a mesh.
type gateway struct {
	Kind        string `json:"kind"`
	SectionName string `json:"sectionName"`
	Port        int32  `json:"port"`
}

// plain reports whether the listener has no TLS, judged by its port or its usual name. The Gateway itself is not read.
func (g *gateway) plain() bool {
	return g.Port == 80 ||
		g.Port == 0 && strings.HasPrefix(g.SectionName, "http") && !strings.HasPrefix(g.SectionName, "https")
}

func readHTTPRoute(decode Decode) (ways []way, err error) {
	var in struct {
		Spec struct {
			ParentRefs []gateway  `json:"parentRefs"`
			Hostnames  []string   `json:"hostnames"`
			Rules      []httpRule `json:"rules"`
		} `json:"spec"`
		Status struct {
			Parents conditions `json:"parents"`
		} `json:"status"`
	}
	if err := decode(&in); err != nil {
		return nil, err
	}
	gateways := slices.DeleteFunc(in.Spec.ParentRefs,
		func(g gateway) bool { return g.Kind != "" && g.Kind != "Gateway" })
	var refused backend.NoLink
	switch {
	case len(gateways) == 0:
		refused = backend.NoLinkNoGateway
	case in.Status.Parents.refused("Accepted"):
		refused = backend.NoLinkNotAdmitted
	}
	hosts := in.Spec.Hostnames
	if len(hosts) == 0 {
		hosts = []string{""}
	}
	tls := slices.ContainsFunc(gateways, func(g gateway) bool { return !g.plain() })
	for i := range in.Spec.Rules {
		for _, w := range in.Spec.Rules[i].ways() {
			w.Scheme, w.Not = scheme(tls), cmp.Or(refused, w.Not)
			for _, w.Host = range hosts {
				if len(ways) == maxRead {
					return ways, nil
				}
				ways = append(ways, w)
				if w.Not != "" {
					break // Read keeps one of a Service that give no link
				}
			}
		}
	}
	return ways, nil
}

// ways returns the ways to a rule's Services, without a host.
func (r *httpRule) ways() (ways []way) {
	services, shared := used(r.BackendRefs)
	bases, all := r.bases(), filtersSay(r.Filters)
	for i := range services {
		to := &services[i]
		own := filtersSay(to.Filters)
		for _, e := range bases {
			if len(ways) == maxRead {
				return ways
			}
			if all.rewrites(e.Path) || own.rewrites(e.Path) {
				e.Not = cmp.Or(e.Not, backend.NoLinkRewritten)
			}
			e.Port, e.Not = strconv.Itoa(int(to.Port)), cmp.Or(shared, e.Not)
			ways = append(ways, way{to.Namespace, to.Name, e})
		}
	}
	return ways
}

// bases returns the base path of each match. Not is set if some requests of a browser below the path do not match.
func (r *httpRule) bases() (bases []backend.Exposure) {
	if len(r.Matches) == 0 {
		return []backend.Exposure{{}}
	}
	for i := range r.Matches {
		m, path, e := &r.Matches[i], "/", backend.Exposure{}
		if m.Path != nil && m.Path.Value != nil {
			path = *m.Path.Value
		}
		e.Path, e.Not = basePath(path)
		switch {
		case m.Path != nil && m.Path.Type != "" && m.Path.Type != "PathPrefix":
			e.Not = backend.NoLinkPath
		case len(m.Headers) > 0 || len(m.QueryParams) > 0 || m.Method != "":
			e.Not = cmp.Or(e.Not, backend.NoLinkMatch)
		}
		bases = append(bases, e)
	}
	return bases
}

// filtersSay returns whether a filter changes where requests go. An extension may do so too, except at the root.
func filtersSay(filters []filter) (s said) {
	for _, f := range filters {
		s.rewritesRoot = s.rewritesRoot || f.Type == "URLRewrite" || f.Type == "RequestRedirect"
		s.rewritesBelow = s.rewritesBelow || f.Type == "ExtensionRef"
	}
	return s
}
