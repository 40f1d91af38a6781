package detect

import (
	"fmt"
	"maps"
	"net/url"
	"path"
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

// addsNothing: the Service may correct what is proven, and add nothing (DTS-ANN-3).
func (r *reader) addsNothing() bool { return r.d.opts.OnlyTrusted && !r.d.trusts(r.s.Namespace) }

// untrusted is the complaint about a value that only trusted namespaces may give.
func (r *reader) untrusted(name, what string) *badAnnotation {
	return &badAnnotation{name, fmt.Sprintf("%s is taken only from a namespace that the configuration lists in "+
		"security.trustedNamespaces (security.annotations is trusted); %s is not", what, r.s.Namespace)}
}

func (r *reader) get(key string) (string, bool) {
	v, ok := r.s.Annotations[key]
	return v, ok
}

// safe refuses values that HolmesGPT would expand into its secrets, or that break what is written (DTS-ANN-2).
func (r *reader) safe() *badAnnotation {
	for _, k := range slices.Sorted(maps.Keys(r.s.Annotations)) {
		if !strings.HasPrefix(k, annPrefix) {
			continue
		}
		if err := safetext.Check(r.s.Annotations[k]); err != nil {
			return &badAnnotation{show(k), "its value " + err.Error() + ": expected plain text"}
		}
	}
	return nil
}

func (r *reader) toolset() *badAnnotation {
	v, ok := r.get(annToolset)
	r.n.toolset = v
	switch v {
	case "true", "enabled":
		r.n.include = true
	case "false", "disabled":
		r.n.optOut = true
	default:
		if ok {
			return &badAnnotation{annToolset, fmt.Sprintf(`expected "true" or "enabled", "false" or "disabled", not %s`, quote(v))}
		}
	}
	return nil
}

func (r *reader) typ() *badAnnotation {
	v, ok := r.get(annType)
	if !ok {
		return nil // an include takes the type from the labels
	}
	known := slices.ContainsFunc(r.d.types, func(t *compiled) bool { return t.Type.Type == v })
	switch {
	case known, v == backend.TypeCustom:
	case v == backend.TypeMCP:
		if !r.d.trusts(r.s.Namespace) {
			return &badAnnotation{annType, fmt.Sprintf("an MCP server is taken only from a namespace that the configuration lists in security.trustedNamespaces; %s is not", r.s.Namespace)}
		}
	case len(validation.IsDNS1123Label(v)) > 0:
		return &badAnnotation{annType, fmt.Sprintf("expected a type of the catalog, custom, mcp, or a name of lower-case letters, digits and dashes, not %s", quote(v))}
	case catalog.Reserved(v):
		return &badAnnotation{annType, fmt.Sprintf("%s is a reserved name: expected a type of the catalog, custom, mcp or a name of your own", quote(v))}
	case !r.n.include:
		return &badAnnotation{annType, fmt.Sprintf(`%s is not a type of the catalog; to include the Service as a toolset of your own set %s to "true"`, quote(v), annToolset)}
	}
	if r.n.include && !known && v != backend.TypeMCP && r.addsNothing() {
		return r.untrusted(annType, "an API that is no type of the catalog")
	}
	r.n.typ = v
	return nil
}

func (r *reader) name() *badAnnotation {
	v, ok := r.get(annName)
	if ok && len(validation.IsDNS1123Label(v)) > 0 {
		return &badAnnotation{annName, fmt.Sprintf("expected a name of at most 63 lower-case letters, digits and dashes, not %s", quote(v))}
	}
	r.n.name = v
	return nil
}

func (r *reader) port() *badAnnotation {
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
	return &badAnnotation{annPort, fmt.Sprintf("%s is none of the Service's TCP ports (%s): expected a port's name or number", quote(v), PortList(r.s))}
}

func (r *reader) scheme() *badAnnotation {
	v, ok := r.get(annScheme)
	if ok && v != "http" && v != "https" {
		return &badAnnotation{annScheme, fmt.Sprintf("expected http or https, not %s", quote(v))}
	}
	r.n.scheme = v
	return nil
}

func (r *reader) path() *badAnnotation {
	v, ok := r.get(annPath)
	if !ok {
		return nil
	}
	p, err := basePath(v)
	if err != nil {
		return &badAnnotation{annPath, err.Error()}
	}
	r.n.path = &p
	return nil
}

// basePath checks a base path and takes its trailing slash off: HolmesGPT's Loki and Tempo toolsets break on one.
func basePath(v string) (string, error) {
	if !plainPath(v, "") || slices.Contains(strings.Split(v, "/"), "..") {
		return "", fmt.Errorf("expected an absolute path such as /prometheus, of at most %d letters, digits and -._~:/, not %s", maxPath, quote(v))
	}
	return strings.TrimRight(path.Clean(v), "/"), nil
}

// plainPath reports whether v is an absolute path of the characters that base paths have. The agent reads base paths, so
// that there is no room in them for anything else.
func plainPath(v, besides string) bool {
	return len(v) <= maxPath && !strings.HasPrefix(v, "//") && safetext.IsPath(v, ":"+besides)
}

func (r *reader) endpoint() *badAnnotation {
	v, ok := r.get(annEndpoint)
	if !ok {
		return nil
	}
	bad := func(format string, args ...any) *badAnnotation {
		return &badAnnotation{annEndpoint, fmt.Sprintf(format, args...)}
	}
	for _, other := range []string{annPort, annScheme, annPath} {
		if _, both := r.get(other); both {
			return bad("it is the full URL and stands instead of %s: remove one of the two", other)
		}
	}
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return bad("expected a URL such as http://%s:8080/path, without credentials, query or fragment, not %s", r.s.Name, quote(v))
	}
	base := ""
	if u.Path != "" && u.Path != "/" {
		if base, err = basePath(u.EscapedPath()); err != nil {
			return bad("%v", err)
		}
	}
	number := map[string]int{"http": 80, "https": 443}[u.Scheme]
	if u.Port() != "" {
		if number, err = strconv.Atoi(u.Port()); err != nil || number < 1 || number > 65535 {
			return bad("expected a port between 1 and 65535 in the URL, not %s", quote(u.Port()))
		}
	}
	r.n.scheme, r.n.path = u.Scheme, &base
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	external := r.s.Type == typeExternal
	if external && r.ownHost(host) {
		host = externalHost(r.s)
	}
	for i := range r.s.Ports {
		if p := &r.s.Ports[i]; int(p.Number) == number && p.Protocol == "TCP" {
			r.n.port = p
		}
	}
	if !external && r.ownHost(host) {
		if r.n.port == nil {
			return bad("port %d is none of the Service's TCP ports (%s)", number, PortList(r.s))
		}
		if r.keepsHost(host) {
			r.n.ownHost = host
		}
		return nil
	}
	if !r.d.allowsHost(host) {
		if external {
			hosts := quote(host)
			if own := externalHost(r.s); own != host && !r.d.allowsHost(own) {
				hosts += " and " + quote(own)
			}
			return bad("it is an ExternalName Service: included only if the configuration lists %s in security.allowedEndpointHosts", hosts)
		}
		return bad("host %s is none of the Service's own names (expected %s); the configuration may allow it in security.allowedEndpointHosts", quote(host), r.d.hostOf(r.s))
	}
	if r.n.port == nil {
		r.n.port = &backend.Port{Number: int32(number), Protocol: "TCP"}
	}
	r.n.host = host
	return nil
}

func (r *reader) ownHost(host string) bool {
	return host == r.s.Name || host == strings.ToLower(r.d.hostOf(r.s)) || slices.Contains(r.s.ShortNames(), host)
}

// keepsHost: the Service's own name is written as it is given. The bare name leads nowhere from another namespace.
// NAME.NAMESPACE is a host of another zone where a namespace is called like one (dev, or a domain of the company's), so that
// a stranger's is written only where a certificate is for it and for no longer name, as without the annotation.
func (r *reader) keepsHost(host string) bool {
	return host != r.s.Name && (host != r.s.Name+"."+r.s.Namespace || r.d.trusts(r.s.Namespace))
}

func (r *reader) health() *badAnnotation {
	key := annHealth
	v, ok := r.get(key)
	if alias, has := r.get(annHealthPath); has {
		if ok && alias != v {
			return &badAnnotation{annHealthPath, "it is another name for " + annHealth + ", which says something else: remove one of the two"}
		}
		key, v, ok = annHealthPath, alias, true
	}
	if !ok {
		return nil
	}
	if v == "none" {
		if !r.n.include {
			return &badAnnotation{key, fmt.Sprintf(`none needs an explicit include (%s: "true"): expected a path such as /healthz`, annToolset)}
		}
		if r.addsNothing() {
			return r.untrusted(key, "a backend that is not proven")
		}
		r.n.unproven = true
		return nil
	}
	if !plainPath(v, "?=&,") {
		return &badAnnotation{key, fmt.Sprintf("expected a path such as /healthz, of at most %d letters, digits and -._~:/?=&,, or none, not %s", maxPath, quote(v))}
	}
	r.n.healthPath = v
	return nil
}

func (r *reader) tenant() *badAnnotation {
	v, ok := r.get(annTenant)
	if !ok {
		return nil
	}
	list := strings.Split(v, ",")
	if len(list) > maxTenants {
		return &badAnnotation{annTenant, fmt.Sprintf("expected at most %d tenants, not %d", maxTenants, len(list))}
	}
	for _, name := range list {
		name = strings.TrimSpace(name)
		if !backend.ValidTenant(name) {
			return &badAnnotation{annTenant, fmt.Sprintf("expected tenants separated by commas, each of letters, digits and "+
				"!-_.*'() and at most %d characters, not %s", backend.MaxTenant, quote(name))}
		}
		if !r.d.trusts(r.s.Namespace) && !backend.PlainTenant(name) {
			return &badAnnotation{annTenant, fmt.Sprintf("from a namespace that the configuration does not list in security.trustedNamespaces: "+
				"expected tenants of letters, digits, - and _ and at most %d characters, not %s; an admin can name it under tenants in "+
				"the configuration", backend.MaxPlainTenant, quote(name))}
		}
		if !slices.Contains(r.n.tenants, name) {
			r.n.tenants = append(r.n.tenants, name)
		}
	}
	return nil
}

func (r *reader) primary() *badAnnotation {
	v, ok := r.get(annPrimary)
	switch {
	case !ok, v == "false":
		return nil
	case v != "true":
		return &badAnnotation{annPrimary, fmt.Sprintf(`expected "true" or "false", not %s`, quote(v))}
	case !r.d.trusts(r.s.Namespace):
		return &badAnnotation{annPrimary, fmt.Sprintf("it is taken only from a namespace that the configuration lists in "+
			"security.trustedNamespaces; %s is not; an admin can name the Service under primary in the configuration", r.s.Namespace)}
	}
	r.n.primary = true
	return nil
}

func (r *reader) description() *badAnnotation {
	v, _ := r.get(annDescription)
	if n := utf8.RuneCountInString(v); n > maxDescription {
		return &badAnnotation{annDescription, fmt.Sprintf("expected at most %d characters, not %d", maxDescription, n)}
	}
	r.n.description = strings.TrimSpace(v)
	if r.n.description != "" && r.addsNothing() {
		return r.untrusted(annDescription, "a note for the agent")
	}
	return nil
}

// quote shows a bad value, shortened: it may be a megabyte.
func quote(v string) string {
	return strconv.Quote(safetext.Clean(v, 60))
}
