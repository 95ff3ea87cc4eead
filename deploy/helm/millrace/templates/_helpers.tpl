{{- define "millrace.name" -}}
{{- $name := contains .Chart.Name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) -}}
{{- /* A release may have dots in its name, a Service may not. */ -}}
{{- $name | replace "." "-" | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Variables of the container, in YAML. Those of `env` stand for those of the chart with the same names: twice one name is refused by Kubernetes' server-side apply. */ -}}
{{- define "millrace.env" -}}
{{- $given := list }}
{{- range .Values.env }}{{ $given = append $given .name }}{{ end }}
{{- $own := dict
  "MILLRACE_LISTEN_HOST" "0.0.0.0"
  "MILLRACE_LISTEN_PORT" "4000"
  "MILLRACE_SHUTDOWN_READY_DELAY" (printf "%vs" .Values.shutdown.readyDelay)
  "MILLRACE_SHUTDOWN_DRAIN_TIME" (printf "%vs" .Values.shutdown.drainTime)
}}
{{- if ((.Values.resources).limits).memory }}
{{- $heap := div .Values.heapPercentage ((.Values.config).workers | default 1) | max 1 }}
{{- $_ := set $own "NODE_OPTIONS" (printf "--max-old-space-size-percentage=%d" $heap) }}
{{- end }}
{{- range $name, $value := $own }}
{{- if not (has $name $given) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Whether the server itself speaks TLS. */ -}}
{{- define "millrace.scheme" -}}
{{- if (((.Values.config).listen).tls).certFile -}}HTTPS{{- else -}}HTTP{{- end -}}
{{- end }}

{{- define "millrace.secretName" -}}
{{- .Values.existingSecret | default (printf "%s-secrets" (include "millrace.name" .)) -}}
{{- end }}
