{{- define "stagely.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "stagely.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "stagely.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "stagely.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "stagely.selectorLabels" -}}
app.kubernetes.io/name: {{ include "stagely.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{/* Of the pod of helm test, which the Service must not take in. */}}
{{- define "stagely.testLabels" -}}
{{- set (include "stagely.selectorLabels" . | fromYaml) "app.kubernetes.io/component" "test" | toYaml -}}
{{- end }}

{{- define "stagely.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "stagely.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "stagely.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "stagely.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "stagely.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end }}

{{/* True with an external Postgres. */}}
{{- define "stagely.externalDatabase" -}}
{{- if or .Values.database.url .Values.database.existingSecret -}}true{{- end -}}
{{- end }}

{{- define "stagely.databaseSecret" -}}
{{- default (printf "%s-database" (include "stagely.fullname" .)) .Values.database.existingSecret -}}
{{- end }}

{{- define "stagely.masterKeySecret" -}}
{{- default (printf "%s-master-key" (include "stagely.fullname" .)) .Values.masterKey.existingSecret -}}
{{- end }}

{{- define "stagely.adminTokenSecret" -}}
{{- default (printf "%s-admin-token" (include "stagely.fullname" .)) .Values.adminToken.existingSecret -}}
{{- end }}

{{- define "stagely.tlsSecret" -}}
{{- if eq .Values.tls.mode "existingSecret" -}}
{{- .Values.tls.existingSecret -}}
{{- else if eq .Values.tls.mode "certManager" -}}
{{- printf "%s-tls" (include "stagely.fullname" .) -}}
{{- end -}}
{{- end }}

{{/* Where its pods may run, and by whose right they get their image. */}}
{{- define "stagely.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Names by which the controller is reached inside the cluster, one a line. */}}
{{- define "stagely.serviceNames" -}}
{{- $name := include "stagely.fullname" . -}}
{{ $name }}
{{ printf "%s.%s" $name .Release.Namespace }}
{{ printf "%s.%s.svc" $name .Release.Namespace }}
{{ printf "%s.%s.svc.cluster.local" $name .Release.Namespace }}
{{- end }}

{{- define "stagely.advertiseUrl" -}}
{{- if .Values.controller.advertiseUrl -}}
{{- .Values.controller.advertiseUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "https://%s" .Values.ingress.host -}}
{{- else -}}
{{- printf "https://%s.%s.svc:%d" (include "stagely.fullname" .) .Release.Namespace (int .Values.service.port) -}}
{{- end -}}
{{- end }}

{{/* Host of the URL by which it is reached from outside; empty where that is the Service's name. */}}
{{- define "stagely.publicHost" -}}
{{- if or .Values.controller.advertiseUrl .Values.ingress.enabled -}}
{{- (include "stagely.advertiseUrl" . | urlParse).hostname -}}
{{- end -}}
{{- end }}

{{/* Names of the certificate, one a line. A public CA signs none that are known inside the cluster only. */}}
{{- define "stagely.certificateNames" -}}
{{- if eq .Values.controller.agentTrust "own" }}
{{ include "stagely.serviceNames" . | trim }}
{{- end }}
{{ include "stagely.publicHost" . }}
{{- range .Values.tls.certManager.dnsNames }}
{{ . }}
{{- end }}
{{- end }}

{{/* Where NOTES look: people begin in the namespace default, or in one that is followed. */}}
{{- define "stagely.firstNamespace" -}}
{{- first (concat .Values.kubernetes.namespaces (list "default")) -}}
{{- end }}

{{/* What no schema can say: combinations that cannot work. */}}
{{- define "stagely.check" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not (include "stagely.externalDatabase" .)) -}}
{{- fail "replicaCount is more than 1, but the embedded database serves one controller only: set database.url or database.existingSecret" -}}
{{- end -}}
{{- if and .Values.database.url .Values.database.existingSecret -}}
{{- fail "database.url and database.existingSecret are both set: keep one" -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "existingSecret") (not .Values.tls.existingSecret) -}}
{{- fail "tls.mode is existingSecret: name the Secret in tls.existingSecret" -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "certManager") (not .Values.tls.certManager.issuerRef.name) -}}
{{- fail "tls.mode is certManager: name the issuer in tls.certManager.issuerRef.name" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.enabled needs ingress.host" -}}
{{- end -}}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail "service.nodePort needs service.type=NodePort or LoadBalancer" -}}
{{- end -}}
{{- range $label, $_ := include "stagely.selectorLabels" . | fromYaml -}}
{{- if hasKey $.Values.podLabels $label -}}
{{- fail (printf "podLabels: %s is how the Service finds its pods: leave it out" $label) -}}
{{- end -}}
{{- end -}}
{{- $passthrough := index (.Values.ingress.annotations | default dict) "nginx.ingress.kubernetes.io/ssl-passthrough" | toString -}}
{{- if and .Values.ingress.enabled (eq .Values.controller.agentTrust "own") (ne $passthrough "true") -}}
{{- fail "controller.agentTrust is own, but agents would see the certificate of the Ingress and not one of the controller's CA: set controller.agentTrust=system and give the Ingress a certificate that their machines trust, or use service.type=LoadBalancer" -}}
{{- end -}}
{{- if and (eq .Values.tls.mode "certManager") (not (include "stagely.certificateNames" . | trim)) -}}
{{- fail "tls.mode is certManager and controller.agentTrust is system, but there is no public name for the certificate: set controller.advertiseUrl or tls.certManager.dnsNames" -}}
{{- end -}}
{{- if and (ne .Values.keyProvider.name "local") (not .Values.keyProvider.key) -}}
{{- fail (printf "keyProvider.name is %s: name its key in keyProvider.key" .Values.keyProvider.name) -}}
{{- end -}}
{{- end }}
