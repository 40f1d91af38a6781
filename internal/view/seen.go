package view

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// Observed describes the result of a probe in a sentence.
func Observed(f *backend.Finding) string {
	said := sight{f, &f.Observation.Seen}.text()
	for i := range f.Observation.Besides {
		said += "; " + sight{f, &f.Observation.Besides[i]}.text()
	}
	return said
}

// result describes the response to one request of a probe, and returns its text.
func result(f *backend.Finding, r *backend.Request) (brief, said string) {
	if r.Seen.Answer == nil {
		return sight{f, &r.Seen}.text(), ""
	}
	return answer(r.Seen.Answer)
}

// sight is one observation of a probe with its finding.
type sight struct {
	f *backend.Finding
	s *backend.Seen
}

func (g sight) text() string {
	if g.s.Code == "" {
		return checked(g.s.Answer)
	}
	return fill(seenTexts[g.s.Code], g, seenValues)
}

// seenValues returns the value of each name in the text of an observation.
var seenValues = map[string]func(sight) string{
	"type":      func(g sight) string { return g.s.Type },
	"answer":    func(g sight) string { return checked(g.s.Answer) },
	"because":   func(g sight) string { return g.s.Because },
	"value":     func(g sight) string { return g.s.Value },
	"host":      func(g sight) string { return g.s.Host },
	"number":    func(g sight) string { return strconv.Itoa(g.s.Number) },
	"limit":     func(g sight) string { return strconv.Itoa(g.s.Limit) },
	"wait":      func(g sight) string { return g.s.Wait.String() },
	"from":      func(g sight) string { return g.s.From.Format(time.DateOnly) },
	"until":     func(g sight) string { return g.s.Until.Format(time.DateOnly) },
	"namespace": func(g sight) string { return g.f.Namespace },
	"names":     func(g sight) string { return certificateNames(g.s) },
	"address":   func(g sight) string { return denied(g.s.Denial) },
	"refuses":   func(g sight) string { return refuses(&g.f.Observation, g.s.Value) },
	"or_no_pod": func(g sight) string {
		if c := g.f.Candidate; c != nil && c.ForeignHost {
			return ""
		}
		return ", or no ready pod is behind the Service"
	},
	"pages": func(g sight) string {
		if g.s.Number <= 1 {
			return ""
		}
		return fmt.Sprintf("it redirected %d requests to other pages, and ", g.s.Number)
	},
	"paths": func(g sight) string {
		if len(g.s.Paths) == 0 {
			return ""
		}
		return " (also tried below " + strings.Join(g.s.Paths, ", ") + ")"
	},
}

// answer describes a response, and returns the start of its text.
func answer(a *backend.Answer) (brief, said string) {
	brief = strings.TrimSpace(fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)))
	switch {
	case a.Redirect != "":
		return brief + ", a redirect to " + a.Redirect, ""
	case a.Flaw != "":
		return brief + ", " + flaws[a.Flaw], ""
	case a.Title != "":
		return brief + ", a web page titled " + quote(a.Title), ""
	case a.Text != "":
		return brief, quote(a.Text)
	}
	return brief, ""
}

// quote puts quotes around a backend's text. The text is clean already; the escapes of %q could undo that.
func quote(s string) string { return `"` + s + `"` }

func joined(brief, said string) string { return strings.TrimSuffix(brief+", "+said, ", ") }

// checked describes a response, and what it lacks.
func checked(a *backend.Answer) string {
	if a == nil {
		return ""
	}
	text := joined(answer(a))
	switch {
	case a.Path != "" && a.Landed != "":
		text = a.Path + " leads to " + a.Landed + ", which answers " + text
	case a.Path != "":
		text = a.Path + " answers " + text
	}
	if missing := lack(a); !strings.HasSuffix(text, missing) {
		text += "; " + missing
	}
	if a.Because != "" {
		text += " (" + a.Because + ")"
	}
	if a.Challenge != "" {
		text += ", WWW-Authenticate: " + a.Challenge
	}
	return text
}

// lack describes how a response differs from the expected one.
func lack(a *backend.Answer) string {
	l := a.Lack
	switch l.Part {
	case backend.LackStatus:
		return strings.ReplaceAll(l.Value, ", ", " or ") + " was expected"
	case backend.LackHeader:
		return "no header " + l.Name + " as expected"
	case backend.LackBody:
		return flaws[a.Flaw]
	case backend.LackText:
		return fmt.Sprintf("the text is not %q", l.Value)
	case backend.LackWords:
		return fmt.Sprintf("%q is not in it", l.Value)
	case backend.LackJSON:
		return "not JSON"
	case backend.LackJSONPath:
		return "its JSON has no " + l.Name
	case backend.LackJSONValue:
		value := l.Value
		switch value {
		case "[]":
			value = "an array"
		case "{}":
			value = "an object"
		}
		return fmt.Sprintf("its JSON's %s is %s", l.Name, value)
	}
	return ""
}

// flaws holds the text of each flaw of a response.
var flaws = map[backend.Flaw]string{
	backend.FlawGzip:     "its body claims to be gzip, but is not",
	backend.FlawDamaged:  "its body's gzip is damaged or over 1 MiB",
	backend.FlawEncoding: "its body is in an encoding that was not asked for",
	backend.FlawLong:     "its body is over 1 MiB",
	backend.FlawFraming:  "its body's framing is not valid HTTP/1.1",
	backend.FlawProtocol: "it switches to another protocol",
}

// refuses describes how the backend, or a proxy in front of it, refuses requests. The text follows "it". mesh is the
// service mesh that refused, "" for none.
func refuses(o *backend.Observation, mesh string) string {
	switch o.Outcome {
	case backend.AuthRequired:
		return "requires " + Noun(o.Wants)
	case backend.LoginRequired:
		return "is behind a proxy that asks people to sign in"
	case backend.ForbiddenByMesh:
		return "is behind " + cmp.Or(meshes[mesh], mesh) + ", whose policy forbids requests from this service's pod"
	}
	const refuses = "refuses the request without asking for credentials"
	if mesh != "" {
		return refuses + " (as a policy of " + mesh + " does)"
	}
	return refuses
}

// meshes holds the name of each service mesh.
var meshes = map[string]string{
	backend.MeshIstio:   "Istio (Envoy)",
	backend.MeshCilium:  "Cilium (Envoy)",
	backend.MeshUnnamed: "a service mesh (Envoy)",
}

// certificateNames lists the names of a certificate.
func certificateNames(s *backend.Seen) string {
	names := cmp.Or(strings.Join(s.Names, ", "), "no name at all")
	if s.Number > len(s.Names) {
		names += ", …"
	}
	return names
}

// denied names the address and the denied network that contains it.
func denied(d backend.Denial) string {
	text := d.Address.String()
	switch d.Of {
	case backend.AddressOfHost, backend.AddressOfClusterIP:
		text = fmt.Sprintf("its %s %s", d.Of, text)
	case backend.AddressOfEndpoint:
		text = "its endpoint address " + text
	}
	if d.Carried.IsValid() {
		text += fmt.Sprintf(" stands for %s, which", d.Carried)
	}
	return fmt.Sprintf("%s is in %s", text, d.Network)
}
