// Original file: proto/tidemark/v1/log.proto

import type { Header as _tidemark_v1_Header, HeaderOutput as _tidemark_v1_HeaderOutput } from '../../tidemark/v1/Header.ts';
import type { Long } from '@grpc/proto-loader';

export interface PlainRecord {
  'key'?: (Buffer | Uint8Array | string);
  'value'?: (Buffer | Uint8Array | string);
  'headers'?: (_tidemark_v1_Header)[];
  'timestampMs'?: (number | string | Long);
  '_key'?: "key";
  '_value'?: "value";
  '_timestampMs'?: "timestampMs";
}

export interface PlainRecordOutput {
  'key'?: (Buffer);
  'value'?: (Buffer);
  'headers': (_tidemark_v1_HeaderOutput)[];
  'timestampMs'?: (number);
  '_key'?: "key";
  '_value'?: "value";
  '_timestampMs'?: "timestampMs";
}
