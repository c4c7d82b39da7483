// Original file: proto/tidemark/v1/security.proto


export interface Acl {
  'resourceType'?: (string);
  'resourceName'?: (string);
  'patternType'?: (string);
  'principal'?: (string);
  'host'?: (string);
  'operation'?: (string);
  'permission'?: (string);
}

export interface AclOutput {
  'resourceType': (string);
  'resourceName': (string);
  'patternType': (string);
  'principal': (string);
  'host': (string);
  'operation': (string);
  'permission': (string);
}
