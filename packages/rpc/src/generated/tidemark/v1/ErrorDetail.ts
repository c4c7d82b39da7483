// Original file: proto/tidemark/v1/error.proto

import type { ControllerHint as _tidemark_v1_ControllerHint, ControllerHintOutput as _tidemark_v1_ControllerHintOutput } from '../../tidemark/v1/ControllerHint.ts';

export interface ErrorDetail {
  'code'?: (number);
  'name'?: (string);
  'message'?: (string);
  'retriable'?: (boolean);
  'controller'?: (_tidemark_v1_ControllerHint | null);
}

export interface ErrorDetailOutput {
  'code': (number);
  'name': (string);
  'message': (string);
  'retriable': (boolean);
  'controller': (_tidemark_v1_ControllerHintOutput | null);
}
