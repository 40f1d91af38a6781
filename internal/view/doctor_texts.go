package view

import "kubernaut.io/dynamic-toolset/internal/doctor"

// doctorText is the text of a check's code: the finding, what to do, and the command or the lines for it. The function
// placeholders replaces the names in angle brackets.
type doctorText struct{ message, advice, command string }

// Parts that several texts share.
const (
	addVariable = "Add to additionalEnvVars in the values of HolmesGPT's chart:"
	setVariable = "Set it in additionalEnvVars in the values of HolmesGPT's chart:"
	// Only the configuration of the service names the namespace and the credentials.
	allValues = "kubectl -n <configmap-namespace> get configmap dynamic-toolset-config " +
		"-o jsonpath='{.data.config\\.yaml}' > config.yaml\n" +
		"dynamic-toolset generate --probe=proxy --values --config config.yaml > holmesgpt-values.yaml"
	mountLines = "additionalVolumes: [{name: dynamic-toolsets, configMap: {name: <configmap-name>}}]\n" +
		"additionalVolumeMounts: [{name: dynamic-toolsets, mountPath: <want-quoted>, readOnly: true}]"
	// Each variable has its own field manager, so that the keys of other variables in the same object stay.
	setKey = "read -rs VALUE && kubectl -n <namespace> create <kind> <object-name> --from-literal=<key>=\"$VALUE\"" +
		" --dry-run=client -o yaml | kubectl apply --server-side --field-manager=<name> -f -"
	mayBeRead = "Check whether your user has that right:"
)

var doctorTexts = map[doctor.Code]doctorText{
	doctor.CodePublished: {message: "its document has <toolsets>"},
	doctor.CodeConfigMapMissing: {
		"it does not exist, so HolmesGPT has nothing to read",
		"Install this service, or name the ConfigMap that your installation writes:",
		"dynamic-toolset doctor --set output.namespace=NAMESPACE --set output.configMap=NAME",
	},
	doctor.CodeConfigMapUnseen: {
		"could not see what is published: your user needs <right>; its variables and certificates were not checked, " +
			"and HolmesGPT was not asked about it", mayBeRead, "<can-i>",
	},
	doctor.CodeNothingPublished: {
		"it holds no document for HolmesGPT (key custom_toolset.yaml)",
		"See what keeps the service from writing it:",
		"kubectl -n <configmap-namespace> logs deployment/dynamic-toolset",
	},
	doctor.CodeNoAgent: {
		"no HolmesGPT was found: no workload runs its image or mounts this ConfigMap",
		"Install HolmesGPT in namespace <configmap-namespace>, with the values that this prints:", allValues,
	},
	doctor.CodeSeveralAgents: {message: "<count> workloads run HolmesGPT or mount this ConfigMap; each is listed"},
	doctor.CodeOtherNamespace: {
		"it runs in namespace <namespace>, where no pod can mount ConfigMap <configmap>",
		"If this service writes a ConfigMap there, check that one with doctor -n <namespace>. " +
			"Otherwise write this one there with this value of this service's chart, " +
			"or move HolmesGPT to namespace <configmap-namespace>:",
		"config: {output: {namespace: <namespace>}}",
	},
	doctor.CodeOtherAgent: {
		message: "it runs in namespace <namespace> and cannot read this ConfigMap: doctor -n <namespace> checks it",
	},
	doctor.CodeNotMounted: {
		"it does not mount ConfigMap <configmap-name>, so HolmesGPT does not know what is published",
		"Add to the values of HolmesGPT's chart:", mountLines,
	},
	doctor.CodeSubPath: {
		"it mounts one file of the ConfigMap by subPath (<value>), which stays as it was when the pod started",
		"Mount the directory in the values of HolmesGPT's chart:", mountLines,
	},
	doctor.CodeItems: {
		"volume <name> lists items of the ConfigMap, and <want> is not among them",
		"Leave items out, or add:", "- {key: <want>, path: <want>}",
	},
	doctor.CodeOptional: {
		"volume <name> is optional: if the ConfigMap is missing when HolmesGPT starts, " +
			"HolmesGPT never notices it later",
		"Leave optional out in that volume, or set it as follows; the pod then waits for the ConfigMap:",
		"optional: false",
	},
	doctor.CodeMounted: {message: "it mounts the ConfigMap as directory <name>"},
	doctor.CodeSidecar: {message: "a sidecar of this service writes the document into the volume at <name>"},
	doctor.CodeSidecarDocument: {
		"the sidecar's document is only in the pod: its variables and certificates were not checked, " +
			"and HolmesGPT was not asked about it",
		"Look at the document:", "kubectl -n <namespace> exec <workload> -c <value> -- cat <name-quoted>",
	},
	doctor.CodeSetting: {message: "<name> is <value>"},
	doctor.CodeSettingElsewhere: {
		"<name> comes from another object, whose values are not read",
		"Check its value there. As plain text it would be:", "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodeLocationDefault: {message: "<name> is not set, so HolmesGPT reads <want>, as it should"},
	doctor.CodeLocationMissing: {
		"<name> is not set, so HolmesGPT reads /etc/holmes/config/custom_toolset.yaml",
		addVariable, "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodeLocationWrong: {
		"<name> is <value>, and the document is mounted as <want>",
		setVariable, "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodeIntervalMissing: {
		"<name> is not set: by default HolmesGPT reads the file every five minutes",
		addVariable, "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodeIntervalLong: {
		"<name> is <value>: expected a number of seconds, at most 120, after which HolmesGPT reads the file again",
		setVariable, "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodePatienceMissing: {
		"<name> is not set: HolmesGPT gives a toolset 20 s to check its instances, " +
			"so two instances that do not answer disable the toolset",
		addVariable, "- {name: <name>, value: <want-quoted>}",
	},
	doctor.CodeVariableMissing: {
		"<name> is not set: <loss>",
		"Put the credential into a Secret, and add the variable to additionalEnvVars; this prints both:", allValues,
	},
	doctor.CodeVariableEmpty: {
		"<name> is empty: HolmesGPT has no credential for toolset <toolset>",
		"Put the credential into a Secret, and set the variable in additionalEnvVars; this prints both:", allValues,
	},
	doctor.CodeObjectMissing: {
		"<name> <comes> from <object>, which does not exist: the pod does not start, or <loss>",
		"Create it:", setKey,
	},
	doctor.CodeKeyMissing: {
		"<name> <comes> from <object>, which has no key <key>: the pod does not start, or <loss>",
		"Add the key:", setKey,
	},
	doctor.CodeKeyUnlisted: {
		"<name> <comes> from <object>, whose keys cannot all be listed without their values",
		"Check that it has the key <key>:", "kubectl -n <namespace> describe <kind-name> <object-name>",
	},
	doctor.CodeObjectUnseen: {
		"could not see <object>, from which <name> <comes>: your user needs <right>", mayBeRead, "<can-i>",
	},
	doctor.CodeVariable: {message: "<name> is set<from>"},
	doctor.CodeAuthorityMissing: {
		"HolmesGPT trusts only public certificate authorities, which did not sign the certificates of <hosts>",
		"Add the authority to the values of HolmesGPT's chart. This prints the line:",
		"echo \"certificate: $(base64 -w0 ca.crt)\"",
	},
	doctor.CodeOpenShiftMissing: {
		"<name> is not True, so HolmesGPT does not send its token to OpenShift's monitoring",
		"Set in the values of HolmesGPT's chart, which then grants the right to read it too:", "openshift: true",
	},
	doctor.CodeBindingMissing: {
		"ServiceAccount <name> may not read OpenShift's monitoring (<hosts>)",
		"Grant it:", "oc adm policy add-cluster-role-to-user cluster-monitoring-view -z <name> -n <namespace>",
	},
	doctor.CodeBindingUnseen: {
		"could not see whether ServiceAccount <name> may read OpenShift's monitoring: your user needs <right>",
		mayBeRead, "<can-i>",
	},
	doctor.CodeBinding: {message: "ServiceAccount <name> may read OpenShift's monitoring"},
	doctor.CodeUnseen:  {"could not see all of HolmesGPT's workloads: your user needs <right>", mayBeRead, "<can-i>"},
}
