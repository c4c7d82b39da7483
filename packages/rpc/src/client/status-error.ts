// From what the wire says went wrong to the error table. A gRPC status speaks only of the transport and of malformed requests;
// everything else arrives as an `ErrorDetail` inside an answer.
import { status } from '@grpc/grpc-js';
import { TidemarkError, errorName, errorTable, failure } from '@tidemark/core';
import type { ErrorName, Failure } from '@tidemark/core';
import type { ErrorDetailOutput } from '../generated/tidemark/v1/ErrorDetail.ts';

const names = new Map<number, ErrorName>([
  [status.UNAVAILABLE, 'NETWORK_EXCEPTION'],
  // A connection that breaks in the middle of a call surfaces as any of these three.
  [status.CANCELLED, 'NETWORK_EXCEPTION'],
  [status.INTERNAL, 'NETWORK_EXCEPTION'],
  [status.ABORTED, 'NETWORK_EXCEPTION'],
  [status.DEADLINE_EXCEEDED, 'REQUEST_TIMED_OUT'],
  [status.INVALID_ARGUMENT, 'INVALID_REQUEST'],
  [status.OUT_OF_RANGE, 'INVALID_REQUEST'],
  [status.FAILED_PRECONDITION, 'INVALID_REQUEST'],
  [status.UNIMPLEMENTED, 'INVALID_REQUEST'],
  // A quota, or a broker that holds as much as it may: it passes.
  [status.RESOURCE_EXHAUSTED, 'THROTTLING_QUOTA_EXCEEDED'],
  [status.UNAUTHENTICATED, 'SASL_AUTHENTICATION_FAILED'],
  [status.PERMISSION_DENIED, 'CLUSTER_AUTHORIZATION_FAILED'],
]);

/** The part of grpc-js' ServiceError and StatusObject that is read here. */
export interface StatusLike {
  readonly code: number;
  readonly details: string;
}

export function isStatusLike(error: unknown): error is StatusLike {
  return typeof error === 'object' && error !== null && 'code' in error && 'details' in error;
}

/** A full house, or a message with more bytes than are taken. */
const NO_ROOM: number = status.RESOURCE_EXHAUSTED;
/** How grpc-js, on either side, says that it is the latter. */
const TOO_LARGE = /message (larger than max|that decompresses to a size larger|with a size larger)/;

/** A failed call as the table's error; the gRPC error is its `cause`. */
export function errorFromStatus(error: unknown, address: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  if (!isStatusLike(error)) {
    const text = error instanceof Error ? error.message : String(error);
    return new TidemarkError('UNKNOWN_SERVER_ERROR', `${address}: ${text}`, { cause: error });
  }
  const isTooLarge = error.code === NO_ROOM && TOO_LARGE.test(error.details);
  const name = isTooLarge ? 'MESSAGE_TOO_LARGE' : (names.get(error.code) ?? 'UNKNOWN_SERVER_ERROR');
  const text = `${address}: ${error.details} (gRPC ${status[error.code] ?? error.code})`;
  return new TidemarkError(name, text, { cause: error });
}

type SaidError = Omit<ErrorDetailOutput, 'controller'> | null | undefined;

/** `undefined` when the answer reports no error. An unknown code keeps the server's own words. */
export function failureFromDetail(detail: SaidError): Failure | undefined {
  if (detail === null || detail === undefined || detail.code === 0) return undefined;
  const name = errorName(detail.code);
  if (name === 'UNKNOWN_SERVER_ERROR' && detail.code !== errorTable[name].code) {
    return failure(name, `${detail.name} (code ${detail.code}): ${detail.message}`);
  }
  return failure(name, detail.message === '' ? undefined : detail.message);
}

/** Throws what `errorFromDetail` answers, if anything. */
export function throwFromDetail(detail: SaidError): void {
  const error = errorFromDetail(detail);
  if (error !== undefined) throw error;
}

export function errorFromDetail(detail: SaidError): TidemarkError | undefined {
  const found = failureFromDetail(detail);
  return found === undefined ? undefined : TidemarkError.from(found);
}
