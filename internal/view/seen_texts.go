package view

import "kubernaut.io/dynamic-toolset/internal/backend"

// seenTexts holds the text for each code of a probe's result. seenValues replaces the names in braces.
var seenTexts = map[backend.Code]string{
	backend.CodeProven:       "it is {type} and answers a query",
	backend.CodeAnswered:     "it answers {answer}",
	backend.CodeServerError:  "it answers {answer}",
	backend.CodeNotReady:     "it is {type}, but not ready: {answer}",
	backend.CodeNoQuery:      "it is {type}, but answers no query: {answer}",
	backend.CodeDegraded:     "it is {type} and answers, but is degraded: {because}",
	backend.CodeNoProof:      "it cannot prove now that it is {type}: {answer}",
	backend.CodeWrongAnswer:  "it does not answer as {type} does: {answer}{paths}",
	backend.CodeOtherProduct: "it is not {type}: {because}",
	backend.CodeRefused:      "it is {type} and {refuses}: {answer}",
	backend.CodeRefusedProof: "it {refuses}, so it cannot prove that it is {type}: {answer}",

	backend.CodeRequestsSpent: "{pages}one try of the probe sends at most {limit} requests",
	backend.CodeSchemeFixed: "it seems to speak {value}, but the annotation kubernaut.io/toolset-scheme or " +
		"kubernaut.io/toolset-endpoint says otherwise",
	backend.CodeNeverAnswers: "if it never answers at all, " +
		"the cause is often a service mesh that requires mutual TLS from clients",
	backend.CodeProbeOff:     `not probed: the Service's annotation kubernaut.io/toolset-health-endpoint is "none"`,
	backend.CodeProbeStopped: "the probe was stopped before it ended",
	backend.CodeRemembered:   "taken over as it was published before; not probed since",
	backend.CodeNoEndpoints: "the Service has no ready endpoint: " +
		"its pods are missing, starting or failing their readiness probe",
	backend.CodeNoAddresses: "the Service has no ready endpoint address; " +
		"an EndpointSlice of names (FQDN) is never used",

	backend.CodeAddressDenied: "{address}: denied by security.denyCIDRs",
	backend.CodeSlicesUnchecked: "the EndpointSlices of its namespace " +
		"take more than {limit} MiB, so they are not all checked",
	backend.CodeNamesUnchecked: "one of its EndpointSlices contains names (FQDN) instead of addresses, which cannot " +
		"be checked against security.denyCIDRs",

	backend.CodeProxyForbidden: "the API server forbids requests through its service proxy (403): " +
		"your user needs " + proxyRight + "namespace {namespace}",
	backend.CodeProxyLogin:       "the API server does not accept your credentials any more (401): log in again",
	backend.CodeProxyNoService:   "the API server finds no such Service, or no Endpoints object behind it",
	backend.CodeProxyNoEndpoints: "no ready endpoint is behind the Service, says the API server",
	backend.CodeProxyNoPort:      "no endpoint serves port {number} of the Service, says the API server",
	backend.CodeProxyElsewhere: "its endpoint is not the Service itself, and the API server's proxy reaches only " +
		"Services: probe it from inside the cluster",
	backend.CodeUnresolved: "DNS does not resolve {host}: the name is wrong, the Service is gone or DNS is down",
	backend.CodeTimeout: "no complete answer within {wait}: " +
		"often a NetworkPolicy that drops the connection, or an overloaded backend",
	backend.CodeConnectionRefused: "connection refused: nothing listens on that port{or_no_pod}",
	backend.CodeConnectionReset: "connection reset by the backend or by something in front of it: " +
		"often a restart, or a rule of a proxy",
	backend.CodeConnectionClosed: "it closed the connection without a complete answer: " +
		"often plain HTTP to a TLS port, or a crash",
	backend.CodeNoRoute:     "no route to it: a ClusterIP can be reached from inside the cluster only",
	backend.CodeUnreachable: "{value}",
	backend.CodePlainHTTP:   "it answers plain HTTP, not https",
	backend.CodeNotTLS:      "it does not speak TLS on that port",
	backend.CodeHandshake:   "the TLS handshake fails: {value}",

	backend.CodeClientCertificate: "it requires a client certificate",
	backend.CodeCertificateCA: "its certificate is signed by an unknown authority; give its CA in tls.caFile, or " +
		unverified,
	backend.CodeCertificateName: "its certificate is for {names}, which includes no name that was tried ({host}); " +
		"have one issued for {host}, or " + unverified,
	backend.CodeServerName: "it refuses TLS for each name that was tried (unrecognized_name): " +
		"configure a name by which it is reached in the backend's TLS settings",
	backend.CodeCertificateDates: "its certificate has expired or is not valid yet ({from} to {until}); have it " +
		"renewed, or " + unverified,
	backend.CodeCertificate:     "its certificate is not valid: {value}; have it renewed, or " + unverified,
	backend.CodeNotHTTP:         "it does not speak HTTP/1.1 on that port",
	backend.CodeHeaderSize:      "its answer's headers are over {limit} KiB",
	backend.CodeCertificateLong: "its certificates take more than {limit} KiB; name fewer hosts in them",
	backend.CodeHeaderLines:     "its answer has more than {limit} header lines",
	backend.CodeBadHTTP:         "its answer is not valid HTTP/1.1: {value}",
}

const unverified = "list the Service in tls.insecureSkipVerify"
