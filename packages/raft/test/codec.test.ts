import { expect } from 'chai';
import fc from 'fast-check';
import type { Offset, Term } from '@tidemark/core';
import { decodeMessage, decodeVoters, encodeMessage, encodeVoters, type RaftMessage } from '@tidemark/raft';
import { message, voters } from './arbitraries.ts';
import { entry, position, votersEntry } from './entries.ts';
import { append, loneReplica } from './lone-replica.ts';
import { voterOf } from './replica-group.ts';

/** Fails unless the bytes are read, or refused with a documented error. Answers the message. */
function decoded(bytes: Uint8Array): RaftMessage | undefined {
  const result = decodeMessage(bytes);
  if (result.ok) return result.message;
  expect(result.error).oneOf(['CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']);
  return undefined;
}

const refusal = (broken: RaftMessage): string => {
  const result = decodeMessage(encodeMessage(broken));
  return result.ok ? 'taken' : result.error;
};

/** Replaces, puts in or takes out bytes. */
const damage = fc.record({
  at: fc.nat({ max: 2000 }),
  remove: fc.nat({ max: 8 }),
  put: fc.uint8Array({ maxLength: 8 }),
});

describe('messages as bytes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(message, fc.nat({ max: 3 }), (original, prefixBytes) => {
        const bytes = encodeMessage(original, prefixBytes);
        expect(bytes.subarray(0, prefixBytes)).deep.equals(new Uint8Array(prefixBytes));
        expect(decodeMessage(bytes.subarray(prefixBytes))).deep.equals({ ok: true, message: original });
      }),
      { numRuns: 2000 },
    );
  });

  it('are refused, and nothing is thrown, when they are something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void decoded(bytes)),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 300 }), (type, bytes) => {
        decoded(Uint8Array.of(1, type, ...bytes));
      }),
      { numRuns: 3000 },
    );
  });

  it('are refused when they are cut short, or go on', () => {
    fc.assert(
      fc.property(message, fc.nat(), (original, draw) => {
        const bytes = encodeMessage(original);
        expect(decodeMessage(bytes.subarray(0, draw % bytes.length)).ok).equals(false);
        expect(decodeMessage(Uint8Array.of(...bytes, 0)).ok).equals(false);
      }),
    );
  });

  it('make no replica fail when they were damaged on the way, whatever is left of them', () => {
    let taken = 0;
    fc.assert(
      fc.property(message, fc.array(damage, { minLength: 1, maxLength: 3 }), (original, damages) => {
        let bytes = Array.from(encodeMessage({ ...original, to: { ...original.to, directoryId: '' } }));
        for (const { at, remove, put } of damages) bytes.splice(at % (bytes.length + 1), remove, ...put);
        bytes = bytes.slice(0, 5000);
        const result = decoded(Uint8Array.from(bytes));
        if (result === undefined) return;
        taken++;
        const replica = loneReplica([1, 2, 3]);
        const self = { nodeId: 2, directoryId: '' } as RaftMessage['to'];
        replica.step({ ...result, to: self }, 10);
        replica.takeReady(10);
      }),
      { numRuns: 5000 },
    );
    expect(taken).above(100);
  });

  it('allocate nothing for entries and voters that are only declared', () => {
    const whole = encodeMessage(append(1, 3, [0, 0]));
    // The last byte is the count of entries.
    const declares = Uint8Array.of(...whole.subarray(0, -1), 0xff, 0xff, 0xff, 0xff, 0x0f);
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 1000; at++) expect(decodeMessage(declares).ok).equals(false);
    expect(process.memoryUsage().heapUsed - before).below(64 * 1024 * 1024);
  });

  it('are refused by who does not know the version or the type', () => {
    const bytes = encodeMessage(append(1, 3, [0, 0]));
    for (const [at, value] of [
      [0, 2],
      [1, 10],
    ] as const) {
      const other = Uint8Array.from(bytes);
      other[at] = value;
      const result = decodeMessage(other);
      expect(!result.ok && result.error).equals('UNSUPPORTED_VERSION');
    }
  });

  it('hold no entries that no leader could have sent', () => {
    expect(refusal(append(1, 3, [4, 2], entry(2, 4), entry(3, 5)))).equals('taken');
    expect(refusal(append(1, 3, [4, 2], entry(2, 5))), 'a gap').equals('CORRUPT_MESSAGE');
    expect(refusal(append(1, 3, [4, 2], entry(1, 4))), 'terms that fall').equals('CORRUPT_MESSAGE');
    expect(refusal(append(1, 3, [4, 2], entry(4, 4))), 'a later term').equals('CORRUPT_MESSAGE');
    expect(refusal(append(1, 3, [4, 2], entry(2, 4), entry(2, 6))), 'a gap inside').equals('CORRUPT_MESSAGE');
    expect(refusal(append(1, 3, [4, 2], { ...votersEntry(2, 4, [1]), payload: new Uint8Array(3) }))).equals(
      'CORRUPT_MESSAGE',
    );
    expect(refusal(append(1, 3, [4, 2], entry(2, 4, '', 2, 'leaderChange')))).equals('CORRUPT_MESSAGE');
    const huge = { ...entry(2, 4), endOffset: (2 ** 53) as Offset };
    expect(refusal(append(1, 3, [4, 2], huge))).equals('CORRUPT_MESSAGE');
    expect(refusal({ ...append(1, 3, [4, 2]), term: (2 ** 31) as Term })).equals('CORRUPT_MESSAGE');
    expect(refusal({ ...append(1, 3, [4, 2]), previous: position(2 ** 53, 1) })).equals('CORRUPT_MESSAGE');
  });
});

describe('sets of voters as bytes', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(voters, (set) => {
        expect(decodeVoters(encodeVoters(set))).deep.equals({ ok: true, voters: set });
      }),
    );
  });

  it('are refused when there are too many, or one twice, or out of order', () => {
    const isRefused = (nodes: readonly number[]): boolean =>
      !decodeVoters(encodeVoters(nodes.map((node) => voterOf(node)))).ok;
    expect(isRefused([1, 2, 3, 4, 5, 6, 7, 8, 9])).equals(false);
    expect(isRefused([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).equals(true);
    expect(isRefused([1, 2, 2])).equals(true);
    expect(isRefused([2, 1])).equals(true);
  });

  it('are refused, and nothing is thrown, when they are something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeVoters(bytes)),
      { numRuns: 2000 },
    );
  });
});
