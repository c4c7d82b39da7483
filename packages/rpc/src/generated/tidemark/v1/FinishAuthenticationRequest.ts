// Original file: proto/tidemark/v1/auth.proto


export interface FinishAuthenticationRequest {
  'exchangeId'?: (string);
  'clientFinal'?: (Buffer | Uint8Array | string);
}

export interface FinishAuthenticationRequestOutput {
  'exchangeId': (string);
  'clientFinal': (Buffer);
}
