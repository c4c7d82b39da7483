// The error table on the wire. Operating errors travel as `ErrorDetail` inside an answer; a gRPC status is left for the
// transport and for requests that are malformed as a whole.

import { status, type StatusObject } from '@grpc/grpc-js';
import { errorTable, TidemarkError, type ErrorName, type Failure } from '@tidemark/core';
import type { ErrorDetail } from '../generated/tidemark/v1/ErrorDetail.ts';

/** `controller` belongs to NOT_CONTROLLER alone and is told by those handlers that know one. */
export type WireError = Required<Omit<ErrorDetail, 'controller'>> & Pick<ErrorDetail, 'controller'>;

export function errorDetail(error: ErrorName, message: string): WireError {
  const { code, retriable } = errorTable[error];
  return { code, name: error, message, retriable };
}

export function failureDetail(failure: Failure): WireError {
  return errorDetail(failure.error, failure.message);
}

/** For a thrown `TidemarkError`; its message already begins with the name, which the detail carries apart. */
export function thrownDetail(thrown: TidemarkError): WireError {
  const prefix = `${thrown.error}: `;
  return errorDetail(
    thrown.error,
    thrown.message.startsWith(prefix) ? thrown.message.slice(prefix.length) : thrown.message,
  );
}

/** A request that is wrong as a whole, so that there is no partition to hang the error on. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}

/** The gRPC status of an error that left a handler. Only what is meant for the client is told; `undefined` means a bug. */
export function grpcStatus(thrown: unknown): Pick<StatusObject, 'code' | 'details'> | undefined {
  if (thrown instanceof MalformedRequest) {
    return { code: status.INVALID_ARGUMENT, details: thrown.message };
  }
  if (thrown instanceof TidemarkError) {
    const code =
      thrown.error === 'THROTTLING_QUOTA_EXCEEDED'
        ? status.RESOURCE_EXHAUSTED
        : thrown.retriable
          ? status.UNAVAILABLE
          : status.FAILED_PRECONDITION;
    return { code, details: thrown.message };
  }
  return undefined;
}
