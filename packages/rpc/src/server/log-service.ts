// LogService as the server registers it: the generated definition with the hot messages' codecs replaced by ours. On the wire
// nothing differs; inside, batches are neither copied on the way in nor joined on the way out.

import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { logService } from '../definitions.ts';
import { guardedService } from './request-guard.ts';
import { encodeFetchResponse, encodeFetchStreamResponse } from './fetch-codec.ts';
import {
  decodeProduceRequest,
  decodeProduceStreamRequest,
  encodeProduceResponse,
  encodeProduceStreamResponse,
} from './produce-codec.ts';
import type { GatheredMessage } from './protobuf-wire.ts';

/**
 * grpc-js types a serializer as answering a Buffer, and uses of it `byteLength` and `copy(frame, 5)` only
 * (server-interceptors, `serializeMessage`): a GatheredMessage has both and copies its parts straight into the frame. The
 * integration tests fail at once should that change.
 */
function gathered<T>(encode: (value: T) => GatheredMessage): (value: T) => Buffer {
  return encode as unknown as (value: T) => Buffer;
}

type AnyMethod = MethodDefinition<unknown, unknown>;

export function serverLogService(): ServiceDefinition {
  const override = (method: object, codec: object): AnyMethod => ({ ...method, ...codec }) as AnyMethod;
  const service: ServiceDefinition = {
    ...(logService as unknown as ServiceDefinition),
    Produce: override(logService.Produce, {
      requestDeserialize: decodeProduceRequest,
      responseSerialize: gathered(encodeProduceResponse),
    }),
    ProduceStream: override(logService.ProduceStream, {
      requestDeserialize: decodeProduceStreamRequest,
      responseSerialize: gathered(encodeProduceStreamResponse),
    }),
    Fetch: override(logService.Fetch, { responseSerialize: gathered(encodeFetchResponse) }),
    FetchStream: override(logService.FetchStream, { responseSerialize: gathered(encodeFetchStreamResponse) }),
  };
  return guardedService(service, ['Produce', 'ProduceStream']);
}
