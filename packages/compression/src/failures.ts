// The two answers of every codec to data it will not inflate, in one wording.

import { failure, type Failure } from '@tidemark/core';

type Algorithm = 'gzip' | 'snappy' | 'lz4' | 'zstd';

export function tooLarge(algorithm: Algorithm, maxBytes: number): Failure {
  return failure(
    'MESSAGE_TOO_LARGE',
    `The ${algorithm} data inflates to more than the bound of ${maxBytes} bytes. Send smaller batches.`,
  );
}

export function corrupt(algorithm: Algorithm, cause: string): Failure {
  return failure(
    'CORRUPT_MESSAGE',
    `The ${algorithm} data is broken: ${cause.replace(/\.$/, '')}. Send the batch again.`,
  );
}

/** The text of anything thrown. */
export function causeOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
