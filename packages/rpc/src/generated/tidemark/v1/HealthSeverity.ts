// Original file: proto/tidemark/v1/cluster.proto

export const HealthSeverity = {
  HEALTH_SEVERITY_UNSPECIFIED: 'HEALTH_SEVERITY_UNSPECIFIED',
  HEALTH_SEVERITY_WARNING: 'HEALTH_SEVERITY_WARNING',
  HEALTH_SEVERITY_CRITICAL: 'HEALTH_SEVERITY_CRITICAL',
} as const;

export type HealthSeverity =
  | 'HEALTH_SEVERITY_UNSPECIFIED'
  | 0
  | 'HEALTH_SEVERITY_WARNING'
  | 1
  | 'HEALTH_SEVERITY_CRITICAL'
  | 2

export type HealthSeverityOutput = typeof HealthSeverity[keyof typeof HealthSeverity]
