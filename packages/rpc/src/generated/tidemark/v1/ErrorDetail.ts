// Original file: proto/tidemark/v1/error.proto


export interface ErrorDetail {
  'code'?: (number);
  'name'?: (string);
  'message'?: (string);
  'retriable'?: (boolean);
}

export interface ErrorDetailOutput {
  'code': (number);
  'name': (string);
  'message': (string);
  'retriable': (boolean);
}
