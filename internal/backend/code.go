package backend

// Code is a word for why something is as it is. The set is closed, so programs may rely on each code. Package view has
// a text for each.
type Code string

// Detection: why a Service is no candidate.
const (
	CodeUnmatched           Code = "unmatched"            // no type and no annotation matches it
	CodeOptedOut            Code = "opted-out"            // its annotation excludes it
	CodeExternalName        Code = "external-name"        // an ExternalName Service that no annotation includes
	CodeNoPorts             Code = "no-ports"             // it has no ports
	CodeTooManyPorts        Code = "too-many-ports"       // it has more ports than are examined
	CodeNoTCPPort           Code = "no-tcp-port"          // none of its ports speaks TCP
	CodeTooManyEntries      Code = "too-many-entries"     // more labels, annotations or requirements than are kept
	CodeBadPortNumber       Code = "bad-port-number"      // its port maps to an invalid port number
	CodeNoUsablePort        Code = "no-usable-port"       // the type serves its API on none of its ports
	CodeLookAlike           Code = "look-alike"           // a rule of the catalog identifies it as something else
	CodeLookAlikeName       Code = "look-alike-name"      // its name identifies it as something else
	CodeLookAlikeLabel      Code = "look-alike-label"     // a label identifies it as something else
	CodeLookAlikeSelector   Code = "look-alike-selector"  // its selector identifies it as something else
	CodeTypeOff             Code = "type-off"             // the configuration disables its type
	CodeTypeElsewhere       Code = "type-elsewhere"       // the configuration limits its type to other namespaces
	CodeNamespaceServices   Code = "namespace-services"   // its namespace has more Services than are read
	CodeNamespaceCandidates Code = "namespace-candidates" // its namespace has more candidates than are examined
)

// Annotations that the Service's owner must correct; the details name the annotation.
const (
	CodeAnnotationUnsafe           Code = "annotation-unsafe"            // not plain text, or HolmesGPT would expand it
	CodeAnnotationInclude          Code = "annotation-include"           // toolset is neither true nor false
	CodeAnnotationMCPUntrusted     Code = "annotation-mcp-untrusted"     // an MCP server outside the trusted namespaces
	CodeAnnotationTypeSyntax       Code = "annotation-type-syntax"       // the type is no name
	CodeAnnotationTypeReserved     Code = "annotation-type-reserved"     // the type is a reserved name
	CodeAnnotationTypeUnknown      Code = "annotation-type-unknown"      // not in the catalog, without an include
	CodeAnnotationTypeMissing      Code = "annotation-type-missing"      // an include, and the type is unknown
	CodeAnnotationTypeUntrusted    Code = "annotation-type-untrusted"    // a custom API outside the trusted namespaces
	CodeAnnotationHealthUntrusted  Code = "annotation-health-untrusted"  // "none", outside the trusted namespaces
	CodeAnnotationNoteUntrusted    Code = "annotation-note-untrusted"    // a note outside the trusted namespaces
	CodeAnnotationName             Code = "annotation-name"              // the name is no DNS label
	CodeNameTaken                  Code = "name-taken"                   // an older Service already has the name
	CodeAnnotationPort             Code = "annotation-port"              // none of the Service's TCP ports
	CodeAnnotationPortMissing      Code = "annotation-port-missing"      // none of several ports fits the included type
	CodeAnnotationPortUnclear      Code = "annotation-port-unclear"      // any of several ports could be the API's
	CodeAnnotationScheme           Code = "annotation-scheme"            // neither http nor https
	CodeAnnotationPath             Code = "annotation-path"              // not a base path
	CodeAnnotationEndpointBeside   Code = "annotation-endpoint-beside"   // the URL is set beside a port, scheme or path
	CodeAnnotationEndpointURL      Code = "annotation-endpoint-url"      // not a usable URL
	CodeAnnotationEndpointNumber   Code = "annotation-endpoint-number"   // the URL's port is not a valid number
	CodeAnnotationEndpointPort     Code = "annotation-endpoint-port"     // the URL's port is not one of the Service's
	CodeAnnotationEndpointHost     Code = "annotation-endpoint-host"     // the URL's host is foreign and not allowed
	CodeAnnotationEndpointMissing  Code = "annotation-endpoint-missing"  // an ExternalName Service has no port or URL
	CodeExternalNotAllowed         Code = "external-not-allowed"         // the ExternalName's host is not allowed
	CodeExternalURLNotAllowed      Code = "external-url-not-allowed"     // the host of the URL is not allowed
	CodeAnnotationHealth           Code = "annotation-health"            // not a path to probe
	CodeAnnotationHealthTwice      Code = "annotation-health-twice"      // its two names have different values
	CodeAnnotationHealthNone       Code = "annotation-health-none"       // "none" without an include
	CodeAnnotationTenants          Code = "annotation-tenants"           // too many tenants
	CodeAnnotationTenant           Code = "annotation-tenant"            // not a valid tenant name
	CodeAnnotationTenantUntrusted  Code = "annotation-tenant-untrusted"  // a name only for trusted namespaces
	CodeAnnotationPrimary          Code = "annotation-primary"           // neither true nor false
	CodeAnnotationPrimaryUntrusted Code = "annotation-primary-untrusted" // outside the trusted namespaces
	CodeAnnotationLink             Code = "annotation-link"              // not a URL for people
	CodeAnnotationLinkHost         Code = "annotation-link-host"         // its host is not allowed
	CodeAnnotationNoteLong         Code = "annotation-note-long"         // the note is too long
)

// Warnings about annotations, which do not affect the verdict.
const (
	CodeAnnotationUnknown   Code = "annotation-unknown"   // there is no such annotation
	CodeAnnotationUnused    Code = "annotation-unused"    // tenants for a type that has none
	CodeAnnotationOverruled Code = "annotation-overruled" // tenants, although the configuration names others
)

// Verdicts: why a candidate is accepted, unavailable or unconfirmed.
const (
	CodeIncludedUnproven   Code = "included-unproven"    // its owner wants it published without a probe
	CodeRecognised         Code = "recognised"           // strong evidence; not probed
	CodePortUnknown        Code = "port-unknown"         // a headless Service whose pods' port number is not known
	CodeWeakEvidence       Code = "weak-evidence"        // weak evidence; not probed
	CodeWeakLocked         Code = "weak-locked"          // weak evidence, and the backend requires credentials
	CodeWeakUnasked        Code = "weak-unasked"         // weak evidence, and the probe found no proof
	CodeAnswers            Code = "answers"              // included by annotation, and it answers
	CodeWorks              Code = "works"                // it proved what it is and works
	CodeNotAskedYet        Code = "not-asked-yet"        // the first probe has not finished
	CodeObserved           Code = "observed"             // what the probe saw
	CodeTenantMissing      Code = "tenant-missing"       // it has several tenants, and no tenant is set
	CodeCredentialsWanted  Code = "credentials-wanted"   // it is up and requires credentials
	CodeCertificateGiven   Code = "certificate-given"    // it is up, and HolmesGPT has a client certificate for it
	CodeCredentialsGiven   Code = "credentials-given"    // it is up, and HolmesGPT reads its credentials from variables
	CodeCredentialsNoPlace Code = "credentials-no-place" // HolmesGPT's toolset does not accept this kind
	CodeCredentialsMissing Code = "credentials-missing"  // the configuration sets no credentials for it
	CodeCredentialsBlocked Code = "credentials-blocked"  // none are set, and another one may become the primary
	CodeCredentialsKept    Code = "credentials-kept"     // none are set, and the primary's place is kept
	CodeCredentialsPlain   Code = "credentials-plain"    // it answers plain HTTP where TLS is expected
)

// Probes: the observation that decides.
const (
	CodeProven            Code = "proven"                // it proved its type and answers a query
	CodeAnswered          Code = "answered"              // an owner's own API answers
	CodeServerError       Code = "server-error"          // an owner's own API answers with a server error
	CodeNotReady          Code = "not-ready"             // it proved its type and reports that it is not ready
	CodeNoQuery           Code = "no-query"              // it proved its type and does not answer a query
	CodeDegraded          Code = "degraded"              // it proved its type and answers only in part
	CodeNoProof           Code = "no-proof"              // it answers with errors, so it cannot prove its type now
	CodeWrongAnswer       Code = "wrong-answer"          // its response does not match its type
	CodeOtherProduct      Code = "other-product"         // it proved to be another product
	CodeRefused           Code = "request-refused"       // it proved its type, and it refuses requests
	CodeRefusedProof      Code = "proof-refused"         // it refuses requests, so it cannot prove its type
	CodeRequestsSpent     Code = "requests-spent"        // an attempt used up its requests without a result
	CodeSchemeFixed       Code = "scheme-fixed"          // with another code: an annotation sets the wrong scheme
	CodeNeverAnswers      Code = "never-answers"         // with another code: a likely cause if it never answers
	CodeProbeOff          Code = "probe-off"             // an annotation disables the probe
	CodeProbeStopped      Code = "probe-stopped"         // the probe was stopped
	CodeRemembered        Code = "remembered"            // it was published before and has not been probed since
	CodeNoEndpoints       Code = "no-endpoints"          // the Service has no ready endpoint
	CodeNoAddresses       Code = "no-addresses"          // its EndpointSlices hold only names
	CodeAddressDenied     Code = "address-denied"        // one of its addresses is in security.denyCIDRs
	CodeSlicesUnchecked   Code = "slices-unchecked"      // its namespace has more EndpointSlices than are read
	CodeNamesUnchecked    Code = "names-unchecked"       // its EndpointSlices hold names, which cannot be checked
	CodeProxyForbidden    Code = "proxy-forbidden"       // the API server refuses the user
	CodeProxyLogin        Code = "proxy-login"           // the API server no longer accepts the user's credentials
	CodeProxyNoService    Code = "proxy-no-service"      // the API server does not find the Service
	CodeProxyNoEndpoints  Code = "proxy-no-endpoints"    // the API server finds no ready endpoint
	CodeProxyNoPort       Code = "proxy-no-port"         // the API server finds no endpoint that serves the port
	CodeProxyElsewhere    Code = "proxy-elsewhere"       // the API server's proxy cannot reach an external host
	CodeUnresolved        Code = "unresolved"            // DNS does not resolve its name
	CodeTimeout           Code = "timeout"               // no complete answer in time
	CodeConnectionRefused Code = "connection-refused"    // nothing listens on the port
	CodeConnectionReset   Code = "connection-reset"      // the connection was reset
	CodeConnectionClosed  Code = "connection-closed"     // the connection was closed without a complete answer
	CodeNoRoute           Code = "no-route"              // no route leads to it
	CodeUnreachable       Code = "unreachable"           // another connection error
	CodePlainHTTP         Code = "plain-http"            // it answers plain HTTP where TLS was expected
	CodeNotTLS            Code = "not-tls"               // it does not speak TLS
	CodeHandshake         Code = "tls-handshake"         // the TLS handshake fails
	CodeClientCertificate Code = "client-certificate"    // it requires a client certificate
	CodeCertificateCA     Code = "certificate-authority" // the authority that signed its certificate is unknown
	CodeCertificateName   Code = "certificate-name"      // its certificate names none of the Service's names
	CodeServerName        Code = "server-name"           // the server refuses TLS for all of the Service's names
	CodeCertificateDates  Code = "certificate-dates"     // its certificate has expired or is not valid yet
	CodeCertificate       Code = "certificate"           // its certificate is invalid for another reason
	CodeNotHTTP           Code = "not-http"              // the server does not speak HTTP/1.1
	CodeHeaderSize        Code = "header-size"           // the header of its answer is too long
	CodeCertificateLong   Code = "certificate-long"      // its certificates are too long to read
	CodeHeaderLines       Code = "header-lines"          // the header of its answer has too many lines
	CodeBadHTTP           Code = "bad-http"              // its answer is not valid HTTP/1.1
)

// Verdicts that depend on other Services.
const (
	CodeDuplicateDown     Code = "duplicate-down"     // the other one works, this one does not
	CodeDuplicateLocked   Code = "duplicate-locked"   // the other one works without credentials
	CodeDuplicateIncluded Code = "duplicate-included" // the other one is included by annotation
	CodeDuplicateHeadless Code = "duplicate-headless" // this one is headless
	CodeDuplicateReplica  Code = "duplicate-replica"  // this one selects only a single replica
	CodeDuplicateBehind   Code = "duplicate-behind"   // the other one is in front of this one
	CodeDuplicateExposed  Code = "duplicate-exposed"  // the other one is for use inside the cluster only
	CodeDuplicateEqual    Code = "duplicate-equal"    // one of the two is enough
	CodeDuplicateSeveral  Code = "duplicate-several"  // this one selects the pods of several others
	CodeDuplicateVouched  Code = "duplicate-vouched"  // same endpoints, and the configuration names the other one
	CodeNamespaceBackends Code = "namespace-backends" // its namespace has more backends than are published
	CodeNamespacePaths    Code = "namespace-paths"    // the base paths of its namespace are too long together
	CodeNamespaceTenants  Code = "namespace-tenants"  // the tenants of its namespace are too long together
	CodeNamespaceRead     Code = "namespace-read"     // its namespace's backends cost the model too many tokens
	CodeDocumentSize      Code = "document-size"      // the document would be too large
	CodeNamespaceBudget   Code = "namespace-budget"   // its namespace has published too much recently
	CodeNamespaceTurn     Code = "namespace-turn"     // its namespace changes its published backends too often
	CodeChangesTooOften   Code = "changes-too-often"  // its own published entry changes too often
	CodeStillPublished    Code = "still-published"    // it is gone or changed, and stays published for a limited time
	CodeMoved             Code = "moved"              // its endpoint has changed, and the new one does not work yet
)

// Ports: why a candidate's port was chosen.
const (
	CodePortAnnotated  Code = "port-annotated"  // the annotation sets it
	CodePortTarget     Code = "port-target"     // its target port is the type's own number
	CodePortName       Code = "port-name"       // its name is one that the type uses
	CodePortNumber     Code = "port-number"     // its number is one that the type uses
	CodePortHTTP       Code = "port-http"       // only this port could serve HTTP
	CodePortLooksHTTP  Code = "port-looks-http" // only this port has a name usual for HTTP
	CodePortOnly       Code = "port-only"       // the Service has no other port
	CodePortRecorded   Code = "port-recorded"   // this port was published before
	CodePortConfigured Code = "port-configured" // the configuration sets it
)
