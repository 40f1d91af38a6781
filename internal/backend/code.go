package backend

// Code says in a word why something is as it is. The set is closed: programs may rely on each, and package view has a
// text for each.
type Code string

// Detection: why a Service is no candidate.
const (
	CodeUnmatched           Code = "unmatched"            // no type and no annotation has anything to say about it
	CodeOptedOut            Code = "opted-out"            // its annotation keeps it out
	CodeExternalName        Code = "external-name"        // an ExternalName Service that no annotation includes
	CodeNoPorts             Code = "no-ports"             // it has no ports
	CodeTooManyPorts        Code = "too-many-ports"       // it has more ports than are looked at
	CodeNoTCPPort           Code = "no-tcp-port"          // none of its ports speaks TCP
	CodeTooManyEntries      Code = "too-many-entries"     // more labels, annotations or requirements than are kept
	CodeBadPortNumber       Code = "bad-port-number"      // its port leads to a number that no port has
	CodeNoUsablePort        Code = "no-usable-port"       // none of its ports is one that the type serves its API on
	CodeLookAlike           Code = "look-alike"           // a rule of the catalog knows it as something else
	CodeLookAlikeName       Code = "look-alike-name"      // its name says that it is something else
	CodeLookAlikeLabel      Code = "look-alike-label"     // a label says so
	CodeLookAlikeSelector   Code = "look-alike-selector"  // its selector says so
	CodeTypeOff             Code = "type-off"             // the configuration switches its type off
	CodeTypeElsewhere       Code = "type-elsewhere"       // the configuration limits its type to other namespaces
	CodeNamespaceUnwatched  Code = "namespace-unwatched"  // its namespace may not be watched now
	CodeNamespaceServices   Code = "namespace-services"   // the Services of its namespace are more than is read
	CodeNamespaceCandidates Code = "namespace-candidates" // its namespace has more candidates than are looked at
)

// Annotations that the Service's owner has to correct; the details name the annotation.
const (
	CodeAnnotationUnsafe           Code = "annotation-unsafe"            // not plain text, or HolmesGPT would expand it
	CodeAnnotationInclude          Code = "annotation-include"           // toolset is neither true nor false
	CodeAnnotationMCPUntrusted     Code = "annotation-mcp-untrusted"     // an MCP server outside the trusted namespaces
	CodeAnnotationTypeSyntax       Code = "annotation-type-syntax"       // the type is no name
	CodeAnnotationTypeReserved     Code = "annotation-type-reserved"     // the type is a reserved name
	CodeAnnotationTypeUnknown      Code = "annotation-type-unknown"      // not in the catalog, without an include
	CodeAnnotationTypeMissing      Code = "annotation-type-missing"      // an include of something that shows no type
	CodeAnnotationTypeUntrusted    Code = "annotation-type-untrusted"    // a custom API outside the trusted namespaces
	CodeAnnotationHealthUntrusted  Code = "annotation-health-untrusted"  // unproven, outside the trusted namespaces
	CodeAnnotationNoteUntrusted    Code = "annotation-note-untrusted"    // a note outside the trusted namespaces
	CodeAnnotationName             Code = "annotation-name"              // the name is no DNS label
	CodeNameTaken                  Code = "name-taken"                   // another Service has the name, and keeps it
	CodeAnnotationPort             Code = "annotation-port"              // none of the Service's TCP ports
	CodeAnnotationPortMissing      Code = "annotation-port-missing"      // no port of several is of the included type
	CodeAnnotationPortUnclear      Code = "annotation-port-unclear"      // which of several ports an included API uses
	CodeAnnotationScheme           Code = "annotation-scheme"            // neither http nor https
	CodeAnnotationPath             Code = "annotation-path"              // no base path
	CodeAnnotationEndpointBeside   Code = "annotation-endpoint-beside"   // the URL stands beside a port, scheme or path
	CodeAnnotationEndpointURL      Code = "annotation-endpoint-url"      // no URL that can be used
	CodeAnnotationEndpointNumber   Code = "annotation-endpoint-number"   // the URL's port is no port number
	CodeAnnotationEndpointPort     Code = "annotation-endpoint-port"     // the URL's port is none of the Service's
	CodeAnnotationEndpointHost     Code = "annotation-endpoint-host"     // the URL's host is foreign and not allowed
	CodeAnnotationEndpointMissing  Code = "annotation-endpoint-missing"  // an ExternalName Service without port and URL
	CodeExternalNotAllowed         Code = "external-not-allowed"         // the ExternalName's host is not allowed
	CodeExternalURLNotAllowed      Code = "external-url-not-allowed"     // the same, where the URL names the host
	CodeAnnotationHealth           Code = "annotation-health"            // no path to probe
	CodeAnnotationHealthTwice      Code = "annotation-health-twice"      // two names for it that say different things
	CodeAnnotationHealthNone       Code = "annotation-health-none"       // "none" without an include
	CodeAnnotationTenants          Code = "annotation-tenants"           // too many tenants
	CodeAnnotationTenant           Code = "annotation-tenant"            // no tenant's name
	CodeAnnotationTenantUntrusted  Code = "annotation-tenant-untrusted"  // a name only for trusted namespaces
	CodeAnnotationPrimary          Code = "annotation-primary"           // neither true nor false
	CodeAnnotationPrimaryUntrusted Code = "annotation-primary-untrusted" // outside the trusted namespaces
	CodeAnnotationLink             Code = "annotation-link"              // no URL for people
	CodeAnnotationLinkHost         Code = "annotation-link-host"         // its host is not allowed
	CodeAnnotationNoteLong         Code = "annotation-note-long"         // the note is too long
)

// Warnings about annotations, which decide nothing.
const (
	CodeAnnotationUnknown   Code = "annotation-unknown"   // there is no such annotation
	CodeAnnotationUnused    Code = "annotation-unused"    // tenants of a type that has none
	CodeAnnotationOverruled Code = "annotation-overruled" // tenants, where the configuration names others
)

// Verdicts: why a candidate is accepted, unavailable or unconfirmed.
const (
	CodeIncludedUnproven   Code = "included-unproven"    // its owner wants it published without a probe
	CodeRecognised         Code = "recognised"           // strong evidence; not probed
	CodePortUnknown        Code = "port-unknown"         // a headless Service whose pods' port number is not known
	CodeWeakEvidence       Code = "weak-evidence"        // weak evidence; not probed
	CodeWeakLocked         Code = "weak-locked"          // weak evidence, and it shows nothing without credentials
	CodeWeakUnasked        Code = "weak-unasked"         // weak evidence, and the probe got no proof
	CodeAnswers            Code = "answers"              // included by annotation, and it answers
	CodeWorks              Code = "works"                // it proved what it is and works
	CodeNotAskedYet        Code = "not-asked-yet"        // the first probe is not over
	CodeObserved           Code = "observed"             // what the probe saw
	CodeTenantMissing      Code = "tenant-missing"       // it has several tenants, and none is named
	CodeCredentialsWanted  Code = "credentials-wanted"   // it is up and wants credentials
	CodeCertificateGiven   Code = "certificate-given"    // up, and HolmesGPT has a client certificate for it
	CodeCredentialsGiven   Code = "credentials-given"    // the same, with the variables that hold them
	CodeCredentialsNoPlace Code = "credentials-no-place" // HolmesGPT's toolset takes none of that kind
	CodeCredentialsMissing Code = "credentials-missing"  // the configuration names none for it
	CodeCredentialsBlocked Code = "credentials-blocked"  // the same, and another one may take its place as the primary
	CodeCredentialsKept    Code = "credentials-kept"     // the same, and the primary's place is kept for another
)

// Probes: what was seen, where that decides.
const (
	CodeProven            Code = "proven"                // it proved its type and answers a query
	CodeAnswered          Code = "answered"              // an API of one's own answers
	CodeServerError       Code = "server-error"          // an API of one's own answers with an error of the server's
	CodeNotReady          Code = "not-ready"             // it proved its type and says that it is not ready
	CodeNoQuery           Code = "no-query"              // it proved its type and answers no query
	CodeDegraded          Code = "degraded"              // it proved its type and answers in part
	CodeNoProof           Code = "no-proof"              // it answers with errors, and cannot prove its type now
	CodeWrongAnswer       Code = "wrong-answer"          // it does not answer as its type does
	CodeOtherProduct      Code = "other-product"         // it proved to be something else
	CodeRefused           Code = "request-refused"       // it proved its type, and requests are refused
	CodeRefusedProof      Code = "proof-refused"         // requests are refused, so that it cannot prove its type
	CodeRequestsSpent     Code = "requests-spent"        // a try came to no end
	CodeSchemeFixed       Code = "scheme-fixed"          // beside another code: an annotation gives the wrong scheme
	CodeNeverAnswers      Code = "never-answers"         // beside another code: it has not answered at all
	CodeProbeOff          Code = "probe-off"             // an annotation says not to probe
	CodeProbeStopped      Code = "probe-stopped"         // the probe was stopped
	CodeRemembered        Code = "remembered"            // it was published before, and not asked since
	CodeNoEndpoints       Code = "no-endpoints"          // no ready endpoint is behind the Service
	CodeNoAddresses       Code = "no-addresses"          // its EndpointSlices hold names alone
	CodeAddressDenied     Code = "address-denied"        // an address behind it is in security.denyCIDRs
	CodeSlicesUnchecked   Code = "slices-unchecked"      // its namespace has more EndpointSlices than are read
	CodeNamesUnchecked    Code = "names-unchecked"       // its EndpointSlices hold names, which cannot be checked
	CodeProxyForbidden    Code = "proxy-forbidden"       // the API server does not let the user through
	CodeProxyLogin        Code = "proxy-login"           // the API server no longer accepts the user's credentials
	CodeProxyNoService    Code = "proxy-no-service"      // the API server finds no such Service
	CodeProxyNoEndpoints  Code = "proxy-no-endpoints"    // the API server finds no ready endpoint
	CodeProxyNoPort       Code = "proxy-no-port"         // the API server finds no endpoint that serves the port
	CodeProxyElsewhere    Code = "proxy-elsewhere"       // a host outside, where the API server's proxy does not lead
	CodeUnresolved        Code = "unresolved"            // DNS does not resolve its name
	CodeTimeout           Code = "timeout"               // no complete answer in time
	CodeConnectionRefused Code = "connection-refused"    // nothing listens there
	CodeConnectionReset   Code = "connection-reset"      // the connection broke off
	CodeConnectionClosed  Code = "connection-closed"     // it was closed without a complete answer
	CodeNoRoute           Code = "no-route"              // no route leads to it
	CodeUnreachable       Code = "unreachable"           // another error of the connection
	CodePlainHTTP         Code = "plain-http"            // it answers plain HTTP where TLS was expected
	CodeNotTLS            Code = "not-tls"               // it does not speak TLS
	CodeHandshake         Code = "tls-handshake"         // the TLS handshake fails
	CodeClientCertificate Code = "client-certificate"    // it wants a client certificate
	CodeCertificateCA     Code = "certificate-authority" // the authority that signed its certificate is not known
	CodeCertificateName   Code = "certificate-name"      // its certificate is for none of the Service's names
	CodeServerName        Code = "server-name"           // its server refuses TLS for all of the Service's names
	CodeCertificateDates  Code = "certificate-dates"     // its certificate has expired or is not valid yet
	CodeCertificate       Code = "certificate"           // its certificate is not valid for another reason
	CodeNotHTTP           Code = "not-http"              // what answers does not speak HTTP/1.1
	CodeHeaderSize        Code = "header-size"           // the header of its answer is too long
	CodeCertificateLong   Code = "certificate-long"      // its certificates are too long to be read
	CodeHeaderLines       Code = "header-lines"          // the header of its answer has too many lines
	CodeBadHTTP           Code = "bad-http"              // its answer is not valid HTTP/1.1
)

// Verdicts beside other Services.
const (
	CodeDuplicateDown     Code = "duplicate-down"     // the other one works, this one does not
	CodeDuplicateLocked   Code = "duplicate-locked"   // the other one works without credentials
	CodeDuplicateIncluded Code = "duplicate-included" // the other one is included by annotation
	CodeDuplicateHeadless Code = "duplicate-headless" // this one is headless
	CodeDuplicateReplica  Code = "duplicate-replica"  // this one leads to a single replica
	CodeDuplicateBehind   Code = "duplicate-behind"   // the other one stands before this one
	CodeDuplicateExposed  Code = "duplicate-exposed"  // the other one is for use inside the cluster
	CodeDuplicateEqual    Code = "duplicate-equal"    // one of the two is enough
	CodeDuplicateSeveral  Code = "duplicate-several"  // this one leads to the pods of several others
	CodeDuplicateVouched  Code = "duplicate-vouched"  // the same endpoints, and the configuration names the other one
	CodeNamespaceBackends Code = "namespace-backends" // its namespace has more backends than are published
	CodeNamespacePaths    Code = "namespace-paths"    // the base paths of its namespace are too long together
	CodeNamespaceTenants  Code = "namespace-tenants"  // the tenants of its namespace are too long together
	CodeNamespaceRead     Code = "namespace-read"     // HolmesGPT would say too much about those of its namespace
	CodeDocumentSize      Code = "document-size"      // the document would be too large
	CodeNamespaceBudget   Code = "namespace-budget"   // its namespace has published too much lately
	CodeNamespaceTurn     Code = "namespace-turn"     // its namespace changes what is published too often
	CodeChangesTooOften   Code = "changes-too-often"  // it changes too often itself
	CodeStillPublished    Code = "still-published"    // it is gone or changed, and stays published for a while
	CodeMoved             Code = "moved"              // it is reached in another way, which does not work yet
)

// Ports: why a candidate's port was chosen.
const (
	CodePortAnnotated  Code = "port-annotated"  // the annotation says so
	CodePortTarget     Code = "port-target"     // its target is the type's own number
	CodePortName       Code = "port-name"       // the type calls it so
	CodePortNumber     Code = "port-number"     // a number that the type uses
	CodePortHTTP       Code = "port-http"       // the only one that could serve HTTP
	CodePortLooksHTTP  Code = "port-looks-http" // the one that is called as ports for HTTP are
	CodePortOnly       Code = "port-only"       // the Service's only one
	CodePortRecorded   Code = "port-recorded"   // it was published before
	CodePortConfigured Code = "port-configured" // the configuration says so
)
