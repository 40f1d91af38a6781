package view

import (
	"cmp"
	"fmt"

	"kubernaut.io/dynamic-toolset/internal/backend"
)

// SameCA says what HolmesGPT needs if an authority of tls.caFile signed a backend's certificate.
const SameCA = "HolmesGPT has to trust the authorities of tls.caFile too, " +
	"or it fails the toolset: mount them, with the public ones, into its pod " +
	"and name the file in REQUESTS_CA_BUNDLE, or put them base64-encoded into CERTIFICATE, which its server reads"

// adviseMesh is the advice for a connection that breaks off without a response. A service mesh with strict mutual TLS
// does that to clients outside the mesh.
var adviseMesh = Advice{"If its pods are in a service mesh that requires mutual TLS from all clients " +
	"(Istio: PeerAuthentication STRICT; Linkerd: a Server for authenticated clients), " +
	"add the pods of this service and of HolmesGPT to the mesh, or allow plain text on that port.", ""}

// adviseRefused returns the advice for a backend that is up and refuses requests.
func adviseRefused(f *backend.Finding) []Advice {
	switch f.Observation.Outcome {
	case backend.ForbiddenByMesh:
		return []Advice{{"Let the service accounts of HolmesGPT and of this service in, " +
			"by an authorization policy of the mesh in its namespace " +
			"(Istio: AuthorizationPolicy; Linkerd: AuthorizationPolicy or ServerAuthorization; Cilium: a rule of " +
			"its CiliumNetworkPolicy). See which there are:",
			fmt.Sprintf("kubectl -n %s get authorizationpolicies", f.Namespace)}}
	case backend.LoginRequired:
		return []Advice{
			{"Make a Service that leads past the proxy, to the port of the backend itself, and protect it with a " +
				"NetworkPolicy that lets HolmesGPT and this service in. See what this one leads to:",
				fmt.Sprintf("kubectl -n %s get service %s -o yaml", f.Namespace, f.Name)},
			{"Or, if the proxy accepts tokens besides logins, " +
				"let it accept the token of HolmesGPT's ServiceAccount.", ""},
		}
	}
	return []Advice{{"Find out what refuses the requests (a proxy in front of it, or a policy of its namespace), " +
		"and allow those of HolmesGPT and of this service:",
		fmt.Sprintf("kubectl -n %s get networkpolicies,pods -o wide", f.Namespace)}}
}

// adviseTLS returns the advice for a certificate that is not trusted: its authority, its name or its dates are wrong.
func (h Hints) adviseTLS(f *backend.Finding) []Advice {
	unchecked := Advice{"Or do not verify its certificate:", fmt.Sprintf("tls: {insecureSkipVerify: [%s]}", f.Ref)}
	switch f.Observation.Missing {
	case backend.MissingCA:
		signer := ""
		for _, w := range f.Candidate.Wants {
			if w.CA {
				signer = " (the one that HolmesGPT must trust too: " + w.What + ")"
			}
		}
		return []Advice{
			{"Name the authority that signed its certificate" + signer + " in the configuration:",
				"tls: {caFile: /path/to/ca.pem}"},
			unchecked,
		}
	case backend.MissingName:
		if f.Service.Type == backend.TypeOutside {
			return []Advice{{"Have a certificate issued, and its server configured, for the host of its URL, or name " +
				"a host in its URL that the certificate is valid for.", ""}, unchecked}
		}
		const text = "Have a certificate issued, and its server configured, for one of the Service's own names, " +
			"such as %s.%s.svc. If the certificate is valid for another name, use that:"
		return append(h.annotate(f, fmt.Sprintf(text, f.Name, f.Namespace),
			"kubernaut.io/toolset-endpoint=https://NAME:PORT"), unchecked)
	}
	return []Advice{{"Have its certificate renewed.", ""}, unchecked}
}

// adviseWants returns what HolmesGPT needs for a backend that was not probed, as far as the catalog knows.
func adviseWants(f *backend.Finding) (out []Advice) {
	for _, w := range f.Wanting() {
		command := ""
		if w.CA {
			command = "REQUESTS_CA_BUNDLE=/path/to/bundle.pem"
		}
		out = append(out, Advice{"For it, HolmesGPT needs " + w.What + ".", command})
	}
	return out
}

// Noun returns the name of a kind of credential, "credentials" if the kind is not known.
func Noun(k backend.Kind) string { return cmp.Or(nouns[k], "credentials") }

var nouns = map[backend.Kind]string{
	backend.KindBasic:       "credentials (a username and a password)",
	backend.KindBearer:      "credentials (a token)",
	backend.KindAPIKey:      "credentials (an API key)",
	backend.KindTenant:      "a tenant, in the header X-Scope-OrgID",
	backend.KindCertificate: "a client certificate",
	backend.KindOther:       "credentials of a kind that HolmesGPT cannot send",
}
