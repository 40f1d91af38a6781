package view

import "kubernaut.io/dynamic-toolset/internal/backend"

// texts holds the text for each code of a reason. reasonValues replaces the names in braces.
var texts = map[backend.Code]string{
	backend.CodeUnmatched: "nothing about it looks like a known backend",
	backend.CodeOptedOut:  "opted out by its annotation kubernaut.io/toolset",
	backend.CodeExternalName: "an ExternalName Service: it only names a host outside the cluster; to publish " +
		"it, include it by annotation, and list the host ({host}) in security.allowedEndpointHosts",
	backend.CodeNoPorts:           "it has no ports",
	backend.CodeTooManyPorts:      "it has more than {limit} ports, which no backend has",
	backend.CodeNoTCPPort:         "it has no TCP port, and all known APIs use HTTP",
	backend.CodeTooManyEntries:    "it has {excess}, which no backend has; at most {most} are read",
	backend.CodeBadPortNumber:     "its port {port} leads to {number}, which is no port number (1 to 65535)",
	backend.CodeNoUsablePort:      "none of its ports ({ports}) is one that {type} serves its API on",
	backend.CodeLookAlike:         "{because}",
	backend.CodeLookAlikeName:     `its name "{value}" says that it is {because}`,
	backend.CodeLookAlikeLabel:    "its label {key}={value} says that it is {because}",
	backend.CodeLookAlikeSelector: "its selector {key}={value} says that it is {because}",
	backend.CodeTypeOff:           "the configuration switches {type} off (types.{type}.enabled)",
	backend.CodeTypeElsewhere: "the configuration looks for {type} " +
		"in other namespaces only: {value} (types.{type}.namespaces)",
	backend.CodeNamespaceServices: "the Services of its namespace take more than {limit} MiB; " +
		"only the oldest are read",
	backend.CodeNamespaceCandidates: "its namespace has {number} candidates, of which only {limit} are used: " +
		"those with the best evidence first, then the oldest; " + allowsMore,

	backend.CodeAnnotationUnsafe: "annotation {annotation}: its value {because}: expected plain text",
	backend.CodeAnnotationInclude: `annotation {annotation}: expected "true" or "enabled", "false" or ` +
		`"disabled", not {quoted}`,
	backend.CodeAnnotationMCPUntrusted: "annotation {annotation}: an MCP server " + onlyTrusted +
		"; {namespace} is not listed",
	backend.CodeAnnotationTypeSyntax: "annotation {annotation}: expected a type of the catalog, custom, mcp, " +
		"or a name of lower-case letters, digits and dashes, not {quoted}",
	backend.CodeAnnotationTypeReserved: "annotation {annotation}: {quoted} is a reserved name: expected a type " +
		"of the catalog, custom, mcp or a name of your own",
	backend.CodeAnnotationTypeUnknown: `annotation {annotation}: {quoted} is not a type of the catalog; to ` +
		`include the Service as a toolset of your own set {key} to "true"`,
	backend.CodeAnnotationTypeMissing: "annotation {annotation}: missing, and {key} requires it: expected the " +
		"backend's type, for example prometheus, or custom",
	backend.CodeAnnotationTypeUntrusted: "annotation {annotation}: an API that is no type of the catalog " +
		onlyTrusted + bySetting,
	backend.CodeAnnotationHealthUntrusted: "annotation {annotation}: a backend that is not proven " +
		onlyTrusted + bySetting,
	backend.CodeAnnotationNoteUntrusted: "annotation {annotation}: a note for the agent " + onlyTrusted + bySetting,
	backend.CodeAnnotationName: "annotation {annotation}: expected a name of at most 63 lower-case " +
		"letters, digits and dashes, not {quoted}",
	backend.CodeNameTaken: "annotation {annotation}: {quoted} " +
		"is the name of Service {other}, which keeps it: choose another",
	backend.CodeAnnotationPort: "annotation {annotation}: {quoted} is not one of the Service's TCP ports " +
		"({ports}): expected a port's name or number",
	backend.CodeAnnotationPortMissing: "none of its ports ({ports}) " +
		"is one that {type} serves its API on; name one in {annotation}",
	backend.CodeAnnotationPortUnclear: "it is not clear which of its ports ({ports}) to use: name one in {annotation}",
	backend.CodeAnnotationScheme:      "annotation {annotation}: expected http or https, not {quoted}",
	backend.CodeAnnotationPath: "annotation {annotation}: expected an absolute path such as " +
		"/prometheus, of at most {limit} letters, digits and -._~:/, not {quoted}",
	backend.CodeAnnotationEndpointBeside: "annotation {annotation}: it " +
		"is the full URL and replaces {key}: remove one of the two",
	backend.CodeAnnotationEndpointURL: "annotation {annotation}: expected a URL such as " +
		"http://{service}:8080/path, without credentials, query or fragment, not {quoted}",
	backend.CodeAnnotationEndpointNumber: "annotation {annotation}: expected " +
		"a port between 1 and 65535 in the URL, not {quoted}",
	backend.CodeAnnotationEndpointPort: "annotation {annotation}: port " +
		"{number} is not one of the Service's TCP ports ({ports})",
	backend.CodeAnnotationEndpointHost: "annotation {annotation}: host {quoted} is not one of the Service's own " +
		"names (expected {host}); the configuration may allow it in security.allowedEndpointHosts",
	backend.CodeAnnotationEndpointMissing: "annotation {annotation}: missing: expected the full URL, such as " +
		"https://{host}/path, of an ExternalName Service that has no ports",
	backend.CodeExternalNotAllowed: "annotation {annotation}: it is an ExternalName Service, for {quoted}: " +
		"included only if the configuration lists that host in security.allowedEndpointHosts",
	backend.CodeExternalURLNotAllowed: "annotation {annotation}: it is an ExternalName Service: included only " +
		"if the configuration lists {hosts} in security.allowedEndpointHosts",
	backend.CodeAnnotationHealth: `annotation {annotation}: expected "none" or a path such as /healthz, of at most ` +
		"{limit} characters (letters, digits and -._~:/?=&,), not {quoted}",
	backend.CodeAnnotationHealthTwice: "annotation {annotation}: it is another name for {key}, which has a " +
		"different value: remove one of the two",
	backend.CodeAnnotationHealthNone: `annotation {annotation}: the value "none" needs an explicit include ` +
		`({key}: "true"); without it, expected a path such as /healthz`,
	backend.CodeAnnotationTenants: "annotation {annotation}: expected at most {limit} tenants, not {number}",
	backend.CodeAnnotationTenant: "annotation {annotation}: expected tenants separated by commas, each of " +
		"letters, digits and !-_.*'() and at most {limit} characters, not {quoted}",
	backend.CodeAnnotationTenantUntrusted: "annotation {annotation}: from a namespace that the configuration does " +
		"not list in security.trustedNamespaces: expected tenants of letters, digits, - and _ and at most {limit} " +
		"characters, not {quoted}; an admin can name it under tenants in the configuration",
	backend.CodeAnnotationPrimary: `annotation {annotation}: expected "true" or "false", not {quoted}`,
	backend.CodeAnnotationPrimaryUntrusted: "annotation {annotation}: it " + onlyTrusted +
		"; {namespace} is not listed; an admin can name the Service under primary in the configuration",
	backend.CodeAnnotationLink: "annotation {annotation}: expected a URL such as " +
		"https://grafana.example.com/path, without credentials, query or fragment, not {quoted}",
	backend.CodeAnnotationLinkHost: "annotation {annotation}: {quoted} is not a host that the configuration " +
		"allows in security.allowedLinkHosts, and {namespace} is not in security.trustedNamespaces",
	backend.CodeAnnotationNoteLong: "annotation {annotation}: expected at most {limit} characters, not {number}",
	backend.CodeAnnotationUnknown:  "annotation {annotation}: unknown, so it has no effect; {meant}",
	backend.CodeAnnotationUnused:   "annotation {annotation}: it has no effect, because {type} has no tenants",
	backend.CodeAnnotationOverruled: "annotation {annotation}: it has no effect, " +
		"because the configuration names the tenants",

	backend.CodeIncludedUnproven: "its owner included it and wants it published without proof",
	backend.CodeRecognised:       "recognised by {sign}; not probed",
	backend.CodePortUnknown: `a headless Service whose target port "{target}" is a name: only its ` +
		`EndpointSlices show which number the pods listen on`,
	backend.CodeWeakEvidence: "the only evidence is {signs}: a probe is needed to confirm it",
	backend.CodeWeakLocked:   "the only evidence is {signs}, and its responses without credentials do not confirm it",
	backend.CodeWeakUnasked:  "the only evidence is {signs}, and it could not be probed: {observed}",
	backend.CodeAnswers:      "included by its annotation, and it answers",
	backend.CodeWorks:        "it proved what it is and works",
	backend.CodeNotAskedYet:  "it has not been probed yet",
	backend.CodeObserved:     "{observed}",
	backend.CodeTenantMissing: "{tenants}, and no tenant is configured; to publish it, add to the " +
		"configuration: {remedy}{or_annotate}",
	backend.CodeCredentialsWanted: "it is up and requires credentials",
	backend.CodeCertificateGiven: "it is up and requires a client certificate, " +
		"which the configuration names (files): it was not probed further",
	backend.CodeCredentialsGiven:   "it is up and requires credentials, which HolmesGPT takes from {variables}",
	backend.CodeCredentialsNoPlace: "it requires {wants}; HolmesGPT's toolset for it has no field for that",
	backend.CodeCredentialsMissing: "it requires {wants}, and the configuration names none for it{beside}" + addRemedy,
	backend.CodeCredentialsBlocked: "it requires {wants}, and the configuration names none for it; " +
		"as the primary in a trusted namespace it would get the usual ones, " +
		"but {blocker} may become the primary instead{beside}" + addRemedy,
	backend.CodeCredentialsKept: "it requires {wants}, and the configuration names none for it; " +
		"as the primary in a trusted namespace it would get the usual ones, " +
		"but the place of the primary is kept for {kept}{beside}" + addRemedy,
	backend.CodeCredentialsPlain: "it answers plain HTTP, although it has answered over TLS before " +
		"or its port or labels say TLS, so it gets no credentials, which could be read on the way to it",

	backend.CodeDuplicateDown:     frontsSame + "that one works, this one does not",
	backend.CodeDuplicateLocked:   frontsSame + "that one works without credentials",
	backend.CodeDuplicateIncluded: frontsSame + "that one is included by annotation",
	backend.CodeDuplicateHeadless: frontsSame + "this one is headless",
	backend.CodeDuplicateReplica:  frontsSame + "this one leads to a single replica",
	backend.CodeDuplicateBehind:   frontsSame + "that one is in front of this one",
	backend.CodeDuplicateExposed:  frontsSame + "that one is for use inside the cluster",
	backend.CodeDuplicateEqual:    frontsSame + "one of the two is enough",
	backend.CodeDuplicateSeveral:  frontsSame + "this one leads to the pods of several Services: {value}",
	backend.CodeDuplicateVouched: frontsSame + "both have the same endpoints, " +
		"and the configuration names that one or its namespace",
	backend.CodeNamespaceBackends: "its namespace has {number} backends, " +
		"but at most {limit} of a namespace are published, the oldest first; " + allowsMore,
	backend.CodeNamespacePaths:   "the agent reads the base paths" + tooLong,
	backend.CodeNamespaceTenants: "the agent reads the tenants" + tooLong,
	backend.CodeNamespaceRead: "HolmesGPT describes each backend to the agent's model in each request; the " +
		"backends of one namespace may take at most {limit} tokens, the oldest first; security.trustedNamespaces " +
		"lifts the limit",
	backend.CodeDocumentSize: "the document would be too large, and its namespace takes the largest part of it; " +
		"security.maxInstancesPerNamespace limits each namespace, discovery.excludeNamespaces leaves some out",
	backend.CodeNamespaceBudget: "its namespace has published too many backends lately: at most {limit} backends at " +
		"once, and then one every {wait}",
	backend.CodeNamespaceTurn: "the published backends of its namespace change too often: " +
		"it is published within {wait}, together with the other changes of the namespace",
	backend.CodeChangesTooOften: "it changes too often: it is published when it has not changed for {wait}",
	backend.CodeMoved: "its port, path or scheme has changed, and the new endpoint does not work yet; " +
		"until it works, the old one stays published, for {wait} at most",
	backend.CodeStillPublished: "it has changed, is gone or is to be left out, but it is still published: " +
		"the published backends of its namespace change too often; " +
		"this change is published within {wait}, together with the other changes of the namespace",

	backend.CodePortAnnotated:  "{port}, as the annotation {key} says",
	backend.CodePortTarget:     "{port}: its target is {type}'s own {number}",
	backend.CodePortName:       `{port}: {type} calls it "{value}"`,
	backend.CodePortNumber:     "{port}: {number} is a number {type} uses",
	backend.CodePortHTTP:       "{port}: the only one that could serve HTTP",
	backend.CodePortLooksHTTP:  "{port}: the one that looks like HTTP",
	backend.CodePortOnly:       "{port}: the Service's only one",
	backend.CodePortRecorded:   "{port}, on which it was published before",
	backend.CodePortConfigured: "{port}, as the configuration says",
}

// Parts that several texts share.
const (
	allowsMore = "security.maxInstancesPerNamespace raises the limit; " +
		"a namespace in security.trustedNamespaces has none"
	onlyTrusted = "is accepted only from a namespace that the configuration lists in security.trustedNamespaces"
	bySetting   = ", because security.annotations is trusted; {namespace} is not listed"
	frontsSame  = "it leads to the same backend as {preferred}, which is used: "
	tooLong     = " from annotations and responses in its namespace, which take more than {limit} bytes in total; " +
		"the oldest are published first; choose shorter ones"
	addRemedy = "; to publish it, add to the configuration: {remedy}{contents}"
)
