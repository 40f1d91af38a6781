{{- /*
The configuration file in JSON, to be read with fromJson: what the values say, and what follows from where this is installed.
*/}}
{{- define "dynamic-toolset.config" -}}
{{- $c := deepCopy .Values.config }}
{{- range list "output" "server" "metrics" "auth" "shutdown" "discovery" "security" "leaderElection" }}
{{- $_ := set $c . (default dict (get $c .)) }}
{{- end }}
{{- $_ := set $c.output "namespace" (default .Release.Namespace $c.output.namespace) }}
{{- $none := eq (include "dynamic-toolset.authMode" .) "none" }}
{{- range $part, $address := dict "server" ":8080" "metrics" ":9090" }}
{{- $address = default $address (get (get $c $part) "address") }}
{{- if and $none (hasPrefix ":" $address) }}
{{- $address = printf "0.0.0.0%s" $address }}
{{- end }}
{{- $_ := set (get $c $part) "address" $address }}
{{- end }}
{{- if .Values.tlsSecret }}
{{- $_ := set $c.server "tls" (dict "mode" "files" "certFile" "/etc/dynamic-toolset/tls/tls.crt" "keyFile" "/etc/dynamic-toolset/tls/tls.key") }}
{{- end }}
{{- if eq (include "dynamic-toolset.tlsMode" .) "self-signed" }}
{{- $service := include "dynamic-toolset.fullname" . }}
{{- $names := list $service }}
{{- range list "" ".svc" (printf ".svc.%s" (default "cluster.local" $c.clusterDomain)) }}
{{- $names = append $names (printf "%s.%s%s" $service $.Release.Namespace .) }}
{{- end }}
{{- $_ := set $c.server.tls "names" (concat $names (default list $c.server.tls.names) | uniq) }}
{{- end }}
{{- if include "dynamic-toolset.backendCAConfigMap" . }}
{{- $_ := set $c "tls" (merge (dict "caFile" (printf "/etc/dynamic-toolset/backend-ca/%s" (include "dynamic-toolset.backendCAKey" .))) (default dict $c.tls)) }}
{{- end }}
{{- if include "dynamic-toolset.catalogConfigMap" . }}
{{- $_ := set $c "catalog" (dict "dir" "/etc/dynamic-toolset/catalog") }}
{{- end }}
{{- if and (not (include "dynamic-toolset.elects" .)) (gt (int .Values.replicaCount) 1) }}
{{- fail (printf "config.leaderElection.enabled is false, and replicaCount is %d: replicas that do not elect would all write; set replicaCount to 1" (int .Values.replicaCount)) }}
{{- end }}
{{- range list "auth" "discovery" "security" "leaderElection" }}
{{- if not (get $c .) }}
{{- $_ := unset $c . }}
{{- end }}
{{- end }}
{{- toJson $c }}
{{- end }}

{{- define "dynamic-toolset.authMode" -}}
{{- dig "auth" "mode" "kubernetes" .Values.config }}
{{- end }}

{{- define "dynamic-toolset.tlsMode" -}}
{{- if .Values.tlsSecret }}files{{ else }}{{ dig "server" "tls" "mode" "off" .Values.config }}{{ end }}
{{- end }}

{{- define "dynamic-toolset.scheme" -}}
{{- if eq (include "dynamic-toolset.tlsMode" .) "off" }}http{{ else }}https{{ end }}
{{- end }}

{{- define "dynamic-toolset.outputNamespace" -}}
{{- default .Release.Namespace (dig "output" "namespace" "" .Values.config) }}
{{- end }}

{{- define "dynamic-toolset.outputConfigMap" -}}
{{- dig "output" "configMap" "kubernaut-toolset-config" .Values.config }}
{{- end }}

{{- define "dynamic-toolset.leaseName" -}}
{{- dig "leaderElection" "leaseName" "dynamic-toolset" .Values.config }}
{{- end }}

{{- /* true, or nothing at all. */}}
{{- define "dynamic-toolset.elects" -}}
{{- if dig "leaderElection" "enabled" true .Values.config }}true{{ end }}
{{- end }}

{{- /* true on OpenShift, or nothing at all. */}}
{{- define "dynamic-toolset.openshift" -}}
{{- if or (eq (toString .Values.openshift) "true") (and (eq (toString .Values.openshift) "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) }}true{{ end }}
{{- end }}

{{- /* On OpenShift the authority of its own services unless another is named, which it puts into a ConfigMap that asks for it. */}}
{{- define "dynamic-toolset.backendCAConfigMap" -}}
{{- if .Values.backendCA.configMap }}
{{- .Values.backendCA.configMap }}
{{- else if and (include "dynamic-toolset.openshift" .) (not (dig "tls" "caFile" "" .Values.config)) }}
{{- include "dynamic-toolset.fullname" . }}-service-ca
{{- end }}
{{- end }}

{{- define "dynamic-toolset.backendCAKey" -}}
{{- if .Values.backendCA.configMap }}{{ .Values.backendCA.key }}{{ else }}service-ca.crt{{ end }}
{{- end }}

{{- define "dynamic-toolset.catalogConfigMap" -}}
{{- if .Values.catalog.configMap }}
{{- .Values.catalog.configMap }}
{{- else if .Values.catalog.files }}
{{- include "dynamic-toolset.fullname" . }}-catalog
{{- end }}
{{- end }}

{{- define "dynamic-toolset.apiPort" -}}
{{- regexFind "[0-9]+$" (dig "server" "address" ":8080" .Values.config) }}
{{- end }}

{{- define "dynamic-toolset.metricsPort" -}}
{{- regexFind "[0-9]+$" (dig "metrics" "address" ":9090" .Values.config) }}
{{- end }}

{{- /* config.security.denyCIDRs, or the program's default of it. */}}
{{- define "dynamic-toolset.denyCIDRs" -}}
{{- dig "security" "denyCIDRs" (list "0.0.0.0/8" "::/128" "169.254.0.0/16" "fe80::/10" "100.100.100.200/32" "100.96.0.96/32" "168.63.129.16/32" "192.0.0.192/32" "fd00:ec2::/32" "fd20:ce::254/128" "fd00:c1::a9fe:a9fe/128" "fd00:42::42/128" "fd00:a9fe:a9fe::1/128" "fd00:100::100:200/128") .Values.config | toJson }}
{{- end }}

{{- /* A duration such as 1m30s in whole seconds, rounded up. */}}
{{- define "dynamic-toolset.seconds" -}}
{{- $total := 0.0 }}
{{- range regexFindAll "[0-9.]+(ms|us|ns|h|m|s)" (toString .) -1 }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- $total = addf $total (mulf (float64 (trimSuffix $unit .)) (get (dict "h" 3600.0 "m" 60.0 "s" 1.0 "ms" 0.001 "us" 0.000001 "ns" 0.000000001) $unit)) }}
{{- end }}
{{- ceil $total | int }}
{{- end }}

{{- /* As long as a stop may take: shutdown.delay, shutdown.timeout, and ten seconds for the last write and the lease. */}}
{{- define "dynamic-toolset.gracePeriod" -}}
{{- if .Values.terminationGracePeriodSeconds }}
{{- int .Values.terminationGracePeriodSeconds }}
{{- else }}
{{- $delay := include "dynamic-toolset.seconds" (dig "shutdown" "delay" "0s" .Values.config) | int }}
{{- $timeout := include "dynamic-toolset.seconds" (dig "shutdown" "timeout" "30s" .Values.config) | int }}
{{- add $delay $timeout 10 }}
{{- end }}
{{- end }}

{{- /* GOMEMLIMIT: 90 % of resources.limits.memory in bytes; nothing where there is no limit, or it is written in another way. */}}
{{- define "dynamic-toolset.goMemLimit" -}}
{{- $limit := toString (dig "limits" "memory" "" .Values.resources) }}
{{- if regexMatch "^[0-9]+(Ki|Mi|Gi|k|M|G)?$" $limit }}
{{- $unit := regexFind "[A-Za-z]*$" $limit }}
{{- $factor := get (dict "" 1 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "k" 1000 "M" 1000000 "G" 1000000000) $unit }}
{{- div (mul (int64 (trimSuffix $unit $limit)) (int64 $factor) 9) 10 }}
{{- end }}
{{- end }}
