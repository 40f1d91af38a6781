package detect

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"

	"kubernaut.io/dynamic-toolset/internal/backend"
	"kubernaut.io/dynamic-toolset/internal/catalog"
	"kubernaut.io/dynamic-toolset/internal/safetext"
)

// reader reads the annotations of one Service, a method for each.
type reader struct {
	s *backend.Service
	d *Detector
	n *annotations
}

// addsNothing: the Service may correct what is proven, and add nothing.
func (r *reader) addsNothing() bool { return r.d.opts.OnlyTrusted && !r.d.trusts(r.s.Namespace) }

// wrong is the reason why the value of an annotation cannot be used.
func wrong(code backend.Code, annotation, value string) *backend.Reason {
	return bad(code, backend.Details{Annotation: annotation, Value: clip(value)})
}

func (r *reader) get(key string) (string, bool) {
	v, ok := r.s.Annotations[key]
	return v, ok
}

// safe refuses values that HolmesGPT would expand into its secrets, or that break what is written.
func (r *reader) safe() *backend.Reason {
	for _, k := range slices.Sorted(maps.Keys(r.s.Annotations)) {
		if !strings.HasPrefix(k, annPrefix) {
			continue
		}
		if err := safetext.Check(r.s.Annotations[k]); err != nil {
			return bad(backend.CodeAnnotationUnsafe, backend.Details{Annotation: show(k), Because: err.Error()})
		}
	}
	return nil
}

func (r *reader) toolset() *backend.Reason {
	v, ok := r.get(annToolset)
	r.n.toolset = v
	switch v {
	case "true", "enabled":
		r.n.include = true
	case "false", "disabled":
		r.n.optOut = true
	default:
		if ok {
			return wrong(backend.CodeAnnotationInclude, annToolset, v)
		}
	}
	return nil
}

func (r *reader) typ() *backend.Reason {
	v, ok := r.get(annType)
	if !ok {
		return nil // an include takes the type from the labels
	}
	known := slices.ContainsFunc(r.d.types, func(t *compiled) bool { return t.Type.Type == v })
	switch {
	case known, v == backend.TypeCustom:
	case v == backend.TypeMCP:
		if !r.d.trusts(r.s.Namespace) {
			return wrong(backend.CodeAnnotationMCPUntrusted, annType, v)
		}
	case len(validation.IsDNS1123Label(v)) > 0:
		return wrong(backend.CodeAnnotationTypeSyntax, annType, v)
	case catalog.Reserved(v):
		return wrong(backend.CodeAnnotationTypeReserved, annType, v)
	case !r.n.include:
		return bad(backend.CodeAnnotationTypeUnknown,
			backend.Details{Annotation: annType, Value: clip(v), Key: annToolset})
	}
	if r.n.include && !known && v != backend.TypeMCP && r.addsNothing() {
		return wrong(backend.CodeAnnotationTypeUntrusted, annType, v)
	}
	r.n.typ = v
	return nil
}

func (r *reader) name() *backend.Reason {
	v, ok := r.get(annName)
	if ok && len(validation.IsDNS1123Label(v)) > 0 {
		return wrong(backend.CodeAnnotationName, annName, v)
	}
	r.n.name = v
	return nil
}

func (r *reader) port() *backend.Reason {
	v, ok := r.get(annPort)
	if !ok {
		return nil
	}
	for i := range r.s.Ports {
		p := &r.s.Ports[i]
		if v != "" && (p.Name == v || strconv.Itoa(int(p.Number)) == v) {
			if p.Protocol != "TCP" {
				continue
			}
			r.n.port = p
			return nil
		}
	}
	return wrong(backend.CodeAnnotationPort, annPort, v)
}

func (r *reader) scheme() *backend.Reason {
	v, ok := r.get(annScheme)
	if ok && v != "http" && v != "https" {
		return wrong(backend.CodeAnnotationScheme, annScheme, v)
	}
	r.n.scheme = v
	return nil
}

func (r *reader) path() *backend.Reason {
	v, ok := r.get(annPath)
	if !ok {
		return nil
	}
	p, ok := safetext.BasePath(v)
	if !ok {
		return badPath(annPath, v)
	}
	r.n.path = &p
	return nil
}

func badPath(annotation, v string) *backend.Reason {
	return bad(backend.CodeAnnotationPath,
		backend.Details{Annotation: annotation, Value: clip(v), Limit: safetext.MaxPath})
}

func (r *reader) tenant() *backend.Reason {
	v, ok := r.get(annTenant)
	if !ok {
		return nil
	}
	list := strings.Split(v, ",")
	if len(list) > maxTenants {
		return bad(backend.CodeAnnotationTenants,
			backend.Details{Annotation: annTenant, Number: len(list), Limit: maxTenants})
	}
	for _, name := range list {
		name = strings.TrimSpace(name)
		if !backend.ValidTenant(name) {
			return bad(backend.CodeAnnotationTenant,
				backend.Details{Annotation: annTenant, Value: clip(name), Limit: backend.MaxTenant})
		}
		if !r.d.trusts(r.s.Namespace) && !backend.PlainTenant(name) {
			return bad(backend.CodeAnnotationTenantUntrusted,
				backend.Details{Annotation: annTenant, Value: clip(name), Limit: backend.MaxPlainTenant})
		}
		if !slices.Contains(r.n.tenants, name) {
			r.n.tenants = append(r.n.tenants, name)
		}
	}
	return nil
}

func (r *reader) primary() *backend.Reason {
	v, ok := r.get(annPrimary)
	switch {
	case !ok, v == "false":
		return nil
	case v != "true":
		return wrong(backend.CodeAnnotationPrimary, annPrimary, v)
	case !r.d.trusts(r.s.Namespace):
		return wrong(backend.CodeAnnotationPrimaryUntrusted, annPrimary, v)
	}
	r.n.primary = true
	return nil
}

func (r *reader) link() *backend.Reason {
	v, ok := r.get(annLink)
	if !ok {
		return nil
	}
	link, host := plainLink(v)
	if link == "" {
		return wrong(backend.CodeAnnotationLink, annLink, v)
	}
	if !r.d.AllowsLink(r.s.Namespace, host) {
		return wrong(backend.CodeAnnotationLinkHost, annLink, host)
	}
	r.n.link = link
	return nil
}

func (r *reader) description() *backend.Reason {
	v, _ := r.get(annDescription)
	if n := utf8.RuneCountInString(v); n > maxDescription {
		return bad(backend.CodeAnnotationNoteLong,
			backend.Details{Annotation: annDescription, Number: n, Limit: maxDescription})
	}
	r.n.description = strings.TrimSpace(v)
	if r.n.description != "" && r.addsNothing() {
		return bad(backend.CodeAnnotationNoteUntrusted, backend.Details{Annotation: annDescription})
	}
	return nil
}

// clip is what is shown of a bad value: it may be a megabyte.
func clip(v string) string { return safetext.Clean(v, 60) }
