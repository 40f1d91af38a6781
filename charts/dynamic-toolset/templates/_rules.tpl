{{- /* What the service has to be allowed, in parts: which of them go into which role depends on what it watches. Each verb is
proven to be needed by test/integration/shipped_rbac_test.go. */}}
{{- define "dynamic-toolset.rules.watch" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- $links := dict "ingress" (list "networking.k8s.io" "ingresses") "httproute" (list "gateway.networking.k8s.io" "httproutes") "route" (list "route.openshift.io" "routes") }}
{{- range dig "links" "from" list .Values.config }}
- apiGroups: [{{ index $links . 0 }}]
  resources: [{{ index $links . 1 }}]
  verbs: [list, watch]
{{- end }}
{{- end }}

{{- define "dynamic-toolset.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- define "dynamic-toolset.rules.output" -}}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "dynamic-toolset.outputConfigMap" . }}]
  verbs: [get, list, watch, create, patch]
{{- if include "dynamic-toolset.elects" . }}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "dynamic-toolset.leaseName" . }}]
  verbs: [get, create, patch, update]
{{- end }}
{{- end }}

{{- /* The rights of the API's users; the resources exist in roles alone. */}}
{{- define "dynamic-toolset.rules.viewer" -}}
- apiGroups: [toolset.kubernaut.io]
  resources: [toolsets]
  verbs: [get, list, watch]
- apiGroups: [toolset.kubernaut.io]
  resources: [services]
  verbs: [get, list]
{{- end }}

{{- define "dynamic-toolset.rules.discoverer" -}}
{{ include "dynamic-toolset.rules.viewer" . }}
- apiGroups: [toolset.kubernaut.io]
  resources: [discoveries]
  verbs: [create]
{{- end }}
