// Original file: proto/tidemark/v1/security.proto


export interface QuotaEntity {
  'user'?: (string);
  'clientId'?: (string);
  '_user'?: "user";
  '_clientId'?: "clientId";
}

export interface QuotaEntityOutput {
  'user'?: (string);
  'clientId'?: (string);
  '_user'?: "user";
  '_clientId'?: "clientId";
}
