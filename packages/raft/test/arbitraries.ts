// Any message there can be, for properties.

import type { NodeId, Offset, Term } from '@tidemark/core';
import { topicIdFromBytes } from '@tidemark/core';
import {
  encodeVoters,
  type Entry,
  type LogPosition,
  type RaftMessage,
  type ReplicaKey,
  type SnapshotId,
  type VoterSet,
} from '@tidemark/raft';
import fc from 'fast-check';

const MAX_OFFSET = Number.MAX_SAFE_INTEGER - 1_000_000;
const MAX_TERM = 2 ** 31 - 1;

const number = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.nat({ max: Math.min(max, 300) }), fc.integer({ min: 0, max }), fc.constant(max));
const offset = number(MAX_OFFSET).map((value) => value as Offset);
const term = number(MAX_TERM).map((value) => value as Term);
const nodeId = number(2 ** 31 - 1).map((value) => value as NodeId);
const directoryId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => topicIdFromBytes(bytes) as string);
const bytes = fc.uint8Array({ maxLength: 300 });
const position: fc.Arbitrary<LogPosition> = fc.record({ endOffset: offset, term });
const snapshot: fc.Arbitrary<SnapshotId> = position;
export const replica: fc.Arbitrary<ReplicaKey> = fc.record({ nodeId, directoryId });
const endpoint = fc.record({ host: fc.string({ unit: 'grapheme', maxLength: 50 }), port: number(65_535) });
export const voters: fc.Arbitrary<VoterSet> = fc
  .uniqueArray(fc.record({ nodeId, directoryId, endpoint }), {
    maxLength: 9,
    selector: (voter) => voter.nodeId,
  })
  .map((list) => list.sort((a, b) => a.nodeId - b.nodeId));

type Piece = Pick<Entry, 'kind' | 'payload'> & { readonly width: number; readonly termRise: number };

const termRise = fc.nat({ max: 3 });
const piece: fc.Arbitrary<Piece> = fc.oneof(
  fc.record({
    kind: fc.constant('data' as const),
    payload: bytes,
    width: fc.integer({ min: 1, max: 1000 }),
    termRise,
  }),
  fc.record({
    kind: fc.constant('leaderChange' as const),
    payload: fc.constant(new Uint8Array(0)),
    width: fc.constant(1),
    termRise,
  }),
  fc.record({
    kind: fc.constant('voters' as const),
    payload: voters.map(encodeVoters),
    width: fc.constant(1),
    termRise,
  }),
);

/** `previous`, the entries behind it, and the term of who sends them. */
const run = fc
  .record({
    endOffset: offset,
    term: number(MAX_TERM - 100),
    pieces: fc.array(piece, { maxLength: 8 }),
    termRise,
  })
  .map(({ endOffset, term: first, pieces, termRise: rise }) => {
    let end: LogPosition = { endOffset, term: first as Term };
    const previous = end;
    const entries = pieces.map((one): Entry => {
      const next = {
        term: (end.term + one.termRise) as Term,
        endOffset: (end.endOffset + one.width) as Offset,
      };
      const entry = { kind: one.kind, payload: one.payload, baseOffset: end.endOffset, ...next };
      end = next;
      return entry;
    });
    return { previous, entries, term: (end.term + rise) as Term };
  });

const addressed = {
  from: replica,
  to: fc.oneof(replica, fc.record({ nodeId, directoryId: fc.constant('') })),
  term,
};
const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name);
const round = number(Number.MAX_SAFE_INTEGER);
const orNothing = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

export const message: fc.Arbitrary<RaftMessage> = fc.oneof(
  fc.record({ ...addressed, type: type('vote'), pre: fc.boolean(), last: position, transfer: fc.boolean() }),
  fc.record({ ...addressed, type: type('voteResponse'), pre: fc.boolean(), granted: fc.boolean() }),
  fc
    .record({ ...addressed, type: type('append'), commitOffset: offset, round, run })
    .map(({ run: { previous, entries, term: runTerm }, ...rest }) => ({
      ...rest,
      term: runTerm,
      previous,
      entries,
    })),
  fc.record({
    ...addressed,
    type: type('appendResponse'),
    round,
    matchOffset: orNothing(offset),
    refused: orNothing(fc.record({ previous: position, conflict: position })),
  }),
  fc.record({
    ...addressed,
    type: type('snapshot'),
    snapshot,
    voters,
    position: round,
    bytes,
    isLast: fc.boolean(),
    round,
  }),
  fc.record({
    ...addressed,
    type: type('snapshotResponse'),
    snapshot,
    nextPosition: orNothing(round),
    round,
  }),
  fc.record({ ...addressed, type: type('join'), last: position, endpoint }),
  fc.record({ ...addressed, type: type('leaderHint'), leader: orNothing(replica), voters }),
  fc.record({ ...addressed, type: type('timeoutNow') }),
);
