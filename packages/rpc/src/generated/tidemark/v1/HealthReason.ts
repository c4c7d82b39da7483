// Original file: proto/tidemark/v1/cluster.proto

import type { HealthSeverity as _tidemark_v1_HealthSeverity, HealthSeverityOutput as _tidemark_v1_HealthSeverityOutput } from '../../tidemark/v1/HealthSeverity.ts';

export interface HealthReason {
  'severity'?: (_tidemark_v1_HealthSeverity);
  'what'?: (string);
  'detail'?: (string);
  'remedy'?: (string);
  'command'?: (string);
}

export interface HealthReasonOutput {
  'severity': (_tidemark_v1_HealthSeverityOutput);
  'what': (string);
  'detail': (string);
  'remedy': (string);
  'command': (string);
}
