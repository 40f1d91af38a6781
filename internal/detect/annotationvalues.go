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
	n annotations
}

// addsNothing reports whether the Service may only correct how a proven backend is reached.
func (r *reader) addsNothing() bool { return r.d.opts.OnlyTrusted && !r.d.trusts(r.s.Namespace) }

// wrong returns the reason why the value of an annotation cannot be used.
func wrong(code backend.Code, annotation, value string) backend.Reason {
	return reason(code, backend.Details{Annotation: annotation, Value: clip(value)})
}

// safe refuses values that HolmesGPT would expand into its secrets, or that would break the document.
func (r *reader) safe() backend.Reason {
	for _, k := range slices.Sorted(maps.Keys(r.s.Annotations)) {
		if !strings.HasPrefix(k, annPrefix) {
			continue
		}
		if err := safetext.Check(r.s.Annotations[k]); err != nil {
			return reason(backend.CodeAnnotationUnsafe, backend.Details{Annotation: show(k), Because: err.Error()})
		}
	}
	return backend.Reason{}
}

func (r *reader) toolset(v string) backend.Reason {
	r.n.toolset = v
	switch v {
	case "true", "enabled":
		r.n.include = true
	case "false", "disabled":
		r.n.optOut = true
	default:
		return wrong(backend.CodeAnnotationInclude, annToolset, v)
	}
	return backend.Reason{}
}

func (r *reader) typ(v string) backend.Reason {
	known := r.d.lookup(v) != nil
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
		return reason(backend.CodeAnnotationTypeUnknown,
			backend.Details{Annotation: annType, Value: clip(v), Key: annToolset})
	}
	if r.n.include && !known && v != backend.TypeMCP && r.addsNothing() {
		return wrong(backend.CodeAnnotationTypeUntrusted, annType, v)
	}
	r.n.typ = v
	return backend.Reason{}
}

func (r *reader) name(v string) backend.Reason {
	if len(validation.IsDNS1123Label(v)) > 0 {
		return wrong(backend.CodeAnnotationName, annName, v)
	}
	r.n.name = v
	return backend.Reason{}
}

func (r *reader) port(v string) backend.Reason {
	for i := range r.s.Ports {
		p := &r.s.Ports[i]
		if v != "" && p.Protocol == "TCP" && (p.Name == v || strconv.Itoa(int(p.Number)) == v) {
			r.n.port = p
			return backend.Reason{}
		}
	}
	return wrong(backend.CodeAnnotationPort, annPort, v)
}

func (r *reader) scheme(v string) backend.Reason {
	if v != "http" && v != "https" {
		return wrong(backend.CodeAnnotationScheme, annScheme, v)
	}
	r.n.sets.Scheme, r.n.sets.FixedScheme = v, true
	return backend.Reason{}
}

func (r *reader) path(v string) backend.Reason {
	p, ok := safetext.BasePath(v)
	if !ok {
		return badPath(annPath, v)
	}
	r.n.sets.Path, r.n.sets.FixedPath = p, true
	return backend.Reason{}
}

func badPath(annotation, v string) backend.Reason {
	return reason(backend.CodeAnnotationPath,
		backend.Details{Annotation: annotation, Value: clip(v), Limit: safetext.MaxPath})
}

func (r *reader) tenant(v string) backend.Reason {
	list := strings.Split(v, ",")
	if len(list) > maxTenants {
		return reason(backend.CodeAnnotationTenants,
			backend.Details{Annotation: annTenant, Number: len(list), Limit: maxTenants})
	}
	for _, name := range list {
		name = strings.TrimSpace(name)
		if !backend.ValidTenant(name) {
			return reason(backend.CodeAnnotationTenant,
				backend.Details{Annotation: annTenant, Value: clip(name), Limit: backend.MaxTenant})
		}
		if !r.d.trusts(r.s.Namespace) && !backend.PlainTenant(name) {
			return reason(backend.CodeAnnotationTenantUntrusted,
				backend.Details{Annotation: annTenant, Value: clip(name), Limit: backend.MaxPlainTenant})
		}
		if !slices.Contains(r.n.sets.Tenants, name) {
			r.n.sets.Tenants = append(r.n.sets.Tenants, name)
		}
	}
	return backend.Reason{}
}

func (r *reader) primary(v string) backend.Reason {
	switch {
	case v == "false":
		return backend.Reason{}
	case v != "true":
		return wrong(backend.CodeAnnotationPrimary, annPrimary, v)
	case !r.d.trusts(r.s.Namespace):
		return wrong(backend.CodeAnnotationPrimaryUntrusted, annPrimary, v)
	}
	r.n.sets.Primary = true
	return backend.Reason{}
}

func (r *reader) link(v string) backend.Reason {
	link, host := plainLink(v)
	if link == "" {
		return wrong(backend.CodeAnnotationLink, annLink, v)
	}
	if !r.d.AllowsLink(r.s.Namespace, host) {
		return wrong(backend.CodeAnnotationLinkHost, annLink, host)
	}
	r.n.sets.Link = link
	return backend.Reason{}
}

func (r *reader) description(v string) backend.Reason {
	if n := utf8.RuneCountInString(v); n > maxDescription {
		return reason(backend.CodeAnnotationNoteLong,
			backend.Details{Annotation: annDescription, Number: n, Limit: maxDescription})
	}
	r.n.sets.Description = strings.TrimSpace(v)
	if r.n.sets.Description != "" && r.addsNothing() {
		return reason(backend.CodeAnnotationNoteUntrusted, backend.Details{Annotation: annDescription})
	}
	return backend.Reason{}
}

// clip shortens a bad value, which may be a megabyte, for messages.
func clip(v string) string { return safetext.Clean(v, 60) }
