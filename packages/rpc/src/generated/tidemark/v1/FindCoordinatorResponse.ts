// Original file: proto/tidemark/v1/group.proto

import type { Coordinator as _tidemark_v1_Coordinator, CoordinatorOutput as _tidemark_v1_CoordinatorOutput } from '../../tidemark/v1/Coordinator.ts';

export interface FindCoordinatorResponse {
  'coordinators'?: (_tidemark_v1_Coordinator)[];
}

export interface FindCoordinatorResponseOutput {
  'coordinators': (_tidemark_v1_CoordinatorOutput)[];
}
