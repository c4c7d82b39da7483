// Original file: proto/tidemark/v1/log.proto

import type { Header as _tidemark_v1_Header, HeaderOutput as _tidemark_v1_HeaderOutput } from '../../tidemark/v1/Header.ts';
import type { Long } from '@grpc/proto-loader';

export interface FetchedRecord {
  'offset'?: (number | string | Long);
  'timestampMs'?: (number | string | Long);
  'key'?: (Buffer | Uint8Array | string);
  'value'?: (Buffer | Uint8Array | string);
  'headers'?: (_tidemark_v1_Header)[];
  '_key'?: "key";
  '_value'?: "value";
}

export interface FetchedRecordOutput {
  'offset': (number);
  'timestampMs': (number);
  'key'?: (Buffer);
  'value'?: (Buffer);
  'headers': (_tidemark_v1_HeaderOutput)[];
  '_key'?: "key";
  '_value'?: "value";
}
