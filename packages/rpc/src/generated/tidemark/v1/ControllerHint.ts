// Original file: proto/tidemark/v1/error.proto


export interface ControllerHint {
  'leaderId'?: (number);
  'host'?: (string);
  'port'?: (number);
}

export interface ControllerHintOutput {
  'leaderId': (number);
  'host': (string);
  'port': (number);
}
