// A conformance suite is data: cases that any implementation of a port must pass, whatever runs them.
//
//   for (const conformance of diskConformance) it(conformance.name, () => conformance.run(makeDisk));
//
// A case throws (an AssertionError) when the implementation breaks the contract. It never waits for time to pass by itself:
// a simulated implementation is driven from outside, e.g. `clock.settle(conformance.run(make))`.

import assert from 'node:assert/strict';
import { DiskError, type DiskErrorCode, type DiskFile } from '@tidemark/core';

export interface ConformanceCase<T> {
  readonly name: string;
  /** `make` answers a fresh implementation with nothing in it. */
  readonly run: (make: () => T | Promise<T>) => Promise<void>;
}

/** Bytes that differ from place to place and from `salt` to `salt`, so that a misplaced one is noticed. */
export function patterned(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 17 + salt * 101 + 7) & 0xff;
  return bytes;
}

export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: length`);
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  assert.equal(at, -1, `${what}: byte ${at} differs`);
}

/** The work must be rejected with a DiskError of one of the codes. */
export async function failsWith(
  work: Promise<unknown>,
  codes: readonly DiskErrorCode[],
  what: string,
): Promise<void> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(outcome instanceof DiskError, `${what}: must fail with a DiskError, but ${String(outcome)}`);
  assert(codes.includes(outcome.code), `${what}: must fail with ${codes.join(' or ')}, not ${outcome.code}`);
}

/** Writes everything, as every caller of a Disk must: a short write is continued. */
export async function writeAll(
  file: DiskFile,
  parts: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = parts.filter((part) => part.length > 0);
  let at = position;
  while (rest.length > 0) {
    const written = await file.write(rest, at);
    const asked = rest.reduce((sum, part) => sum + part.length, 0);
    assert(Number.isInteger(written) && written > 0 && written <= asked, `wrote ${written} of ${asked}`);
    at += written;
    let skip = written;
    rest = rest.flatMap((part) => {
      const skipped = Math.min(skip, part.length);
      skip -= skipped;
      return skipped === part.length ? [] : [part.subarray(skipped)];
    });
  }
}
