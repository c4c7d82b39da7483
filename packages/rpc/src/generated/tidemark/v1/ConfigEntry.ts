// Original file: proto/tidemark/v1/admin.proto

import type { ConfigSource as _tidemark_v1_ConfigSource, ConfigSourceOutput as _tidemark_v1_ConfigSourceOutput } from '../../tidemark/v1/ConfigSource.ts';

export interface ConfigEntry {
  'name'?: (string);
  'value'?: (string);
  'source'?: (_tidemark_v1_ConfigSource);
  'readOnly'?: (boolean);
  'sensitive'?: (boolean);
  'type'?: (string);
  'documentation'?: (string);
}

export interface ConfigEntryOutput {
  'name': (string);
  'value': (string);
  'source': (_tidemark_v1_ConfigSourceOutput);
  'readOnly': (boolean);
  'sensitive': (boolean);
  'type': (string);
  'documentation': (string);
}
