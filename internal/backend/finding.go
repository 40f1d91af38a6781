package backend

import (
	"cmp"
	"time"
)

// Outcome is what a probe came to.
type Outcome string

const (
	Ready         Outcome = "ready"
	AuthRequired  Outcome = "auth-required" // up, but wants credentials
	NotReady      Outcome = "not-ready"
	WrongIdentity Outcome = "wrong-identity" // something else answers there
	UntrustedTLS  Outcome = "untrusted-tls"
	NoEndpoints   Outcome = "no-endpoints" // the EndpointSlices say so; nothing was dialled
	Unreachable   Outcome = "unreachable"
	Unprobed      Outcome = "unprobed"
	// The next ones are up, and of no use to the agent as they are.

	Forbidden       Outcome = "forbidden"         // up, but refuses without asking for credentials
	ForbiddenByMesh Outcome = "forbidden-by-mesh" // a service mesh's policy refuses
	LoginRequired   Outcome = "login-required"    // a proxy before it wants people to sign in
)

// Outcomes are all of them.
func Outcomes() []Outcome {
	return []Outcome{
		Ready, AuthRequired, NotReady, WrongIdentity, Forbidden, ForbiddenByMesh, LoginRequired, UntrustedTLS,
		NoEndpoints, Unreachable, Unprobed,
	}
}

// Kind of credential that an auth-required backend wants; "" where its answer names none.
type Kind string

const (
	KindBasic       Kind = "basic"  // username and password
	KindBearer      Kind = "bearer" // a token
	KindAPIKey      Kind = "api-key"
	KindTenant      Kind = "tenant"             // no secret: the header X-Scope-OrgID
	KindCertificate Kind = "client-certificate" // which HolmesGPT cannot show
	KindOther       Kind = "other"              // such as Digest or Negotiate
)

// Want is one thing that a backend is known to want of its clients: credentials of a kind, or else trust in an
// authority.
type Want struct {
	Credential Kind
	CA         bool   // trust in the authority that signs its certificate
	What       string // it, and where it comes from, for people
}

// What a connection over TLS lacks.
const (
	MissingCA   = "ca"   // the authority that signed the certificate is not known
	MissingName = "name" // the certificate, or the server, is for none of the Service's own names
)

// Causes of unreachable that others than the probe look at. What is denied is rejected, whatever else speaks for it.
const (
	CauseForbidden = "forbidden" // the API server's proxy refuses the user of a command
	CauseDenied    = "denied"    // an address behind it is in security.denyCIDRs; nothing was dialled
	CauseReset     = "reset"     // it broke off
	CauseClosed    = "closed"    // without a complete answer
)

// Up says that the backend works, or would with credentials. Whether it may be published is decided elsewhere.
func (o Outcome) Up() bool { return o == Ready || o == AuthRequired }

// Observation is a candidate's state as the probe saw it. Text in it that came from the backend is already checked and
// bounded.
type Observation struct {
	Outcome  Outcome
	Cause    string // for unreachable: refused, timeout, reset, closed, dns, denied, forbidden, other
	Seen     Seen   // what decided
	Besides  []Seen // what was seen as well
	Scheme   string // as found; equal to the candidate's unless the probe corrected it
	Path     string
	Host     string // another of the Service's own names, which its certificate is for; "" for the candidate's
	Port     int32  // another port of the Service, which it redirects to; 0 for the candidate's
	Version  string // "" where unknown
	Identity bool   // the identity request was answered as only the real thing answers
	// Type is the relative that it proved to be; "" for the candidate's own type.
	Type string
	// Warnings are the catalog's words for what works less well than it could. They decide nothing.
	Warnings []string
	// NoData: it answers, and has nothing to answer with.
	NoData bool
	// Members are the hosts of what it sends its queries on to, each once, in order and bounded: addresses, or names in
	// lower case. Nil where it did not say. They are a stranger's text, and never requested.
	Members []string
	// Degraded is why it is not ready but answers what it can, in the catalog's words. That keeps a new one out and
	// withdraws none that is published.
	Degraded string
	// Wants is the kind of credential that an auth-required backend wants: what its answer names, of several the one
	// that its type usually takes.
	Wants Kind
	// Missing is what an untrusted-tls backend lacks: MissingCA, MissingName, or "" for anything else.
	Missing string
	// OwnCA: the certificate was checked against authorities of the configuration's, which HolmesGPT has to trust as
	// well.
	OwnCA bool
	// SkipVerify: the certificate is not trusted, and the configuration says to use the backend all the same.
	SkipVerify bool
	At         time.Time // when the probe ended; zero if unprobed
	Requests   []Request // what was asked, in order, for explain
}

// Request is one HTTP request of a probe and what came of it.
type Request struct {
	Purpose string // identity, base path, lookalike, health, query, version
	URL     string
	Seen    Seen // its answer, or why there is none
	Took    time.Duration
	Try     int // from 1
}

// Status of the answer; 0 where there was none.
func (r *Request) Status() int {
	if r.Seen.Answer == nil {
		return 0
	}
	return r.Seen.Answer.Status
}

// Verdict is the decision about a Service (the spec's section 2).
type Verdict string

const (
	Accepted    Verdict = "accepted"    // published, or would be
	Unavailable Verdict = "unavailable" // the right thing, but it does not work now
	Duplicate   Verdict = "duplicate"   // another Service in front of the same backend is used
	Unconfirmed Verdict = "unconfirmed" // weak evidence that nothing has proven
	Rejected    Verdict = "rejected"
)

// Verdicts in the order people want to see them.
var Verdicts = []Verdict{Accepted, Unavailable, Duplicate, Unconfirmed, Rejected}

// Finding is what became of one candidate, or of a Service that did not get that far (Candidate is nil then).
type Finding struct {
	Ref
	Service     *Service // nil for a Service that matched nothing and of which only the name is kept
	Type        string   // the nearest type; "" if none was near
	Candidate   *Candidate
	Observation Observation
	Verdict     Verdict
	Reason      Reason // always there
	Winner      Ref    // for duplicate: the Service that is used instead
	Warning     Reason // what its owner should correct, which decides nothing
	Stays       bool   // it is accepted though its owner has changed or removed it: it is published for a while longer
	Primary     bool   // the type's primary instance
	// Provisional: the primary for now, since another candidate may be it once it works. It is not recorded and gets no
	// credentials by default.
	Provisional bool
	PrimaryBy   PrimaryRule // which rule made it the primary; "" where it is not
	Blocker     Ref         // that other candidate; the zero Ref where there is none
	// ShardOf is the backend that sees all that this one has; the zero Key where there is none.
	ShardOf Key
	// Yields: it would be the primary of its type, and is a shard. The place stays recorded for it.
	Yields bool
	Kept   Kept // the place of the type's primary is kept, so that this instance is not it
	// Link is the URL at which people reach it; "" where it is not known. It is never requested.
	Link string
	// NoLinks is what leads to it and gives no link, each with the reason.
	NoLinks []Exposure
	// Remedies are lines of the configuration, each of which would give it the credentials that it wants, the surest
	// first.
	Remedies []string
	// Vouched: the configuration names the Service by primary or credentials, or trusts its namespace.
	Vouched bool
	// Entitled: the configuration names it by primary or credentials, or it is a primary in a trusted namespace. What
	// the overrides say for a whole toolset may hold a credential, which goes to such a one.
	Entitled bool
	// Apart is the end of the names of the variables that are suggested for it, if names with the usual end are another
	// backend's; else "".
	Apart string
	// AgentToken: HolmesGPT sends it the token of its own ServiceAccount, which is the credential that it wants.
	AgentToken bool
	// KeepToken: HolmesGPT would send it the token of its own ServiceAccount, and must not.
	KeepToken bool
	// Credentials: field of the toolset's config -> name of the environment variable that HolmesGPT reads it from.
	// Only names: values are never seen by this service.
	Credentials map[string]string
}

// Endpoint is the base URL as it is written and shown: as the probe found it, else as detection chose it; "" without a
// candidate.
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

// Wanting is what is known that it wants and that nobody could see, since it was not asked; without credentials where
// it has a reference to some.
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
