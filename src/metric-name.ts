/** The name of a metric with one label, such as `session_mesh_refused_handshakes_total{rule="version"}`. */
export function metricName(family: string, label: string, value: string): string {
  return `${family}{${label}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"}`
}
