// Telling a `Failure` from what was asked for.
import type { Failure } from '@tidemark/core';

export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'ok' in value && value.ok === false;
}
