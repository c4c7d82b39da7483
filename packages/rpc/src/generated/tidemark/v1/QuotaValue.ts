// Original file: proto/tidemark/v1/security.proto


export interface QuotaValue {
  'name'?: (string);
  'value'?: (number | string);
  '_value'?: "value";
}

export interface QuotaValueOutput {
  'name': (string);
  'value'?: (number);
  '_value'?: "value";
}
