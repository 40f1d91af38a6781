package backend

import (
	"cmp"
	"time"
)

// Outcome is the result of a probe.
type Outcome string

const (
	Ready         Outcome = "ready"
	AuthRequired  Outcome = "auth-required" // up, but requires credentials
	NotReady      Outcome = "not-ready"
	WrongIdentity Outcome = "wrong-identity" // the endpoint serves another product
	UntrustedTLS  Outcome = "untrusted-tls"
	NoEndpoints   Outcome = "no-endpoints" // known from the EndpointSlices; nothing was dialled
	Unreachable   Outcome = "unreachable"
	Unprobed      Outcome = "unprobed"
	// The next outcomes are for a backend that is up but that the agent cannot use as it is.

	Forbidden       Outcome = "forbidden"         // up, but refuses without a request for credentials
	ForbiddenByMesh Outcome = "forbidden-by-mesh" // the policy of a service mesh refuses the request
	LoginRequired   Outcome = "login-required"    // a proxy in front of it requires people to sign in
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{
		Ready, AuthRequired, NotReady, WrongIdentity, Forbidden, ForbiddenByMesh, LoginRequired, UntrustedTLS,
		NoEndpoints, Unreachable, Unprobed,
	}
}

// Kind is the kind of credential that an auth-required backend requires; "" if its response names no kind.
type Kind string

const (
	KindBasic       Kind = "basic"  // username and password
	KindBearer      Kind = "bearer" // a token
	KindAPIKey      Kind = "api-key"
	KindTenant      Kind = "tenant"             // no secret: the header X-Scope-OrgID
	KindCertificate Kind = "client-certificate" // HolmesGPT cannot present it
	KindOther       Kind = "other"              // such as Digest or Negotiate
)

// Want is one requirement that a backend is known to have of its clients: credentials of a kind, or trust in an
// authority.
type Want struct {
	Credential Kind
	CA         bool   // trust in the authority that signs its certificate
	What       string // the requirement and its source, for people
}

// Missing requirements of a TLS connection.
const (
	MissingCA   = "ca"   // the authority that signed the certificate is unknown
	MissingName = "name" // the certificate, or the server, accepts none of the Service's own names
)

// Causes of the outcome unreachable that other packages read. CauseDenied rejects a candidate, whatever its evidence.
const (
	CauseForbidden = "forbidden" // the API server's proxy refuses the user of a command
	CauseDenied    = "denied"    // an address behind it is in security.denyCIDRs; nothing was dialled
	CauseReset     = "reset"     // the connection was reset
	CauseClosed    = "closed"    // the connection was closed without a complete answer
)

// Up reports whether the backend works, or would work with credentials. It does not decide whether the backend is
// published.
func (o Outcome) Up() bool { return o == Ready || o == AuthRequired }

// Observation is a candidate's state as the probe saw it. Its texts from the backend are already checked and bounded.
type Observation struct {
	Outcome  Outcome
	Cause    string // for unreachable: refused, timeout, reset, closed, dns, denied, forbidden, other
	Seen     Seen   // what decided
	Besides  []Seen // other observations
	Scheme   string // as found; equal to the candidate's unless the probe corrected it
	Path     string
	Host     string // another of the Service's own names, which its certificate names; "" for the candidate's
	Port     int32  // another port of the Service, to which the backend redirects; 0 for the candidate's
	Version  string // "" if unknown
	Identity bool   // the identity request was answered as only the product answers
	// Type is the relative that the backend proved to be; "" for the candidate's own type.
	Type string
	// Warnings are the catalog's texts for what works less well than it could. They do not affect the verdict.
	Warnings []string
	// NoData: the backend answers but has no data.
	NoData bool
	// Members are the hosts to which the backend forwards its queries: addresses, or names in lower case, sorted,
	// unique and bounded. Nil if it did not name them. A stranger may have chosen them, so they are never requested.
	Members []string
	// Degraded is why the backend is not ready but answers in part, in the catalog's words. A new degraded backend is
	// not published; a published one is not withdrawn.
	Degraded string
	// Wants is the kind of credential that an auth-required backend requires. If its response names several, it is the
	// kind that its type usually takes.
	Wants Kind
	// Missing is the missing requirement of an untrusted-tls backend: MissingCA, MissingName, or "" for any other.
	Missing string
	// OwnCA: the certificate was checked against authorities of the configuration, which HolmesGPT must trust too.
	OwnCA bool
	// LostTLS: it answers plain HTTP, and has answered over TLS before. No annotation says that this is right.
	LostTLS bool
	// SkipVerify: the certificate is not trusted, and the configuration allows the backend without verification.
	SkipVerify bool
	At         time.Time // when the probe ended; zero if unprobed
	Requests   []Request // the requests in order, for explain
}

// Request is one HTTP request of a probe and its result.
type Request struct {
	Purpose string // identity, base path, lookalike, health, query, version
	URL     string
	Seen    Seen // the response, or why there is no response
	Took    time.Duration
	Try     int // from 1
}

// Status returns the status of the response; 0 if there was no response.
func (r *Request) Status() int {
	if r.Seen.Answer == nil {
		return 0
	}
	return r.Seen.Answer.Status
}

// Verdict is the decision about a Service (the spec's section 2).
type Verdict string

const (
	Accepted    Verdict = "accepted"    // published, or ready to be
	Unavailable Verdict = "unavailable" // recognised, but it does not work now
	Duplicate   Verdict = "duplicate"   // another Service in front of the same backend is used
	Unconfirmed Verdict = "unconfirmed" // weak evidence without proof
	Rejected    Verdict = "rejected"
)

// Verdicts lists all verdicts in the order in which people see them.
var Verdicts = []Verdict{Accepted, Unavailable, Duplicate, Unconfirmed, Rejected}

// Finding is the result for one candidate, or for a Service without a candidate (Candidate is nil then).
type Finding struct {
	Ref
	Service     *Service // nil for an unmatched Service of which only the name is kept
	Type        string   // the nearest type; "" if no type was near
	Candidate   *Candidate
	Observation Observation
	Verdict     Verdict
	Reason      Reason // always set
	Winner      Ref    // for duplicate: the Service that is used instead
	Warning     Reason // what its owner should correct; it does not affect the verdict
	Stays       bool   // it is accepted although its owner has changed or removed it: it stays published for a while
	Primary     bool   // the type's primary instance
	// Provisional: it is the primary only until another candidate works. It is not recorded and gets no credentials by
	// default.
	Provisional bool
	PrimaryBy   PrimaryRule // the rule that made it the primary; "" if it is not the primary
	Blocker     Ref         // that other candidate; the zero Ref if there is no other
	// ShardOf is the backend that sees all data of this one; the zero Key if there is no such backend.
	ShardOf Key
	// Yields: it would be the primary of its type but is a shard. The primary's place stays recorded for it.
	Yields bool
	// Kept is set if the primary's place of the type is kept for another. Then this one is not the primary, or only
	// provisionally.
	Kept Kept
	// Link is the URL at which people reach the backend; "" if it is unknown. It is never requested.
	Link string
	// NoLinks are the objects that lead to it but give no link, each with the reason.
	NoLinks []Exposure
	// Remedies are configuration lines, each of which would give it the credentials that it requires, the most certain
	// first.
	Remedies []string
	// Vouched: the configuration names the Service under primary or credentials, or trusts its namespace.
	Vouched bool
	// Entitled: the configuration names it under primary or credentials, or it is a primary in a trusted namespace.
	// Only such an instance gets what the overrides set for a whole toolset, because that may hold a credential.
	Entitled bool
	// Apart is the suffix of the variable names suggested for it if names with the usual suffix belong to another
	// backend; else "".
	Apart string
	// AgentToken: HolmesGPT sends it the token of its own ServiceAccount, and the backend requires that token.
	AgentToken bool
	// KeepToken: HolmesGPT would send it the token of its own ServiceAccount, but must not.
	KeepToken bool
	// Credentials maps a field of the toolset's config to the environment variable from which HolmesGPT reads it. It
	// holds only names: this service never sees the values.
	Credentials map[string]string
}

// Endpoint returns the base URL that is written and shown: as the probe found it, else as detection chose it; ""
// without a candidate.
func (f *Finding) Endpoint() string {
	c := f.Candidate
	if c == nil {
		return ""
	}
	if o := &f.Observation; o.Scheme != "" {
		return endpoint(o.Scheme, cmp.Or(o.Host, c.Host), cmp.Or(o.Port, c.PortNumber), o.Path)
	}
	return c.Endpoint()
}

// LacksTLS reports whether a backend answers plain HTTP although it has answered over TLS before, or its port or labels
// say TLS. An attacker on the way to it may answer so, to read credentials. An annotation that sets the scheme confirms
// it.
func (f *Finding) LacksTLS() bool {
	c, o := f.Candidate, &f.Observation
	return o.Scheme == "http" && !c.FixedScheme && (c.Scheme == "https" && c.SchemeTold || o.LostTLS)
}

// Wanting returns the known requirements of an accepted backend that was not probed. It omits credentials if the
// backend has a reference to some.
func (f *Finding) Wanting() (list []Want) {
	if f.Candidate == nil || f.Verdict != Accepted || f.Observation.Outcome != Unprobed {
		return nil
	}
	for _, w := range f.Candidate.Wants {
		if w.CA || len(f.Credentials) == 0 {
			list = append(list, w)
		}
	}
	return list
}
