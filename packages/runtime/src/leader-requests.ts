// What a node asks of the leader of the quorum, as requests between nodes: their kinds, their bodies, and who serves them. A
// failure of the quorum is the request's own, so that the caller knows where it stands; a command's failure is its response.

import {
  decodeCommand,
  encodeCommand,
  encodeResponse,
  type ControllerCommand,
  type ResponseTo,
} from '@tidemark/controller';
import {
  type Clock,
  failure,
  type Failure,
  FieldReader,
  FieldWriter,
  integer,
  isFailure,
  MalformedRecord,
  type NodeId,
  type Offset,
  type Term,
  text,
  TidemarkError,
} from '@tidemark/core';
import type { VoterChange } from '@tidemark/raft';
import type { PeerRequests } from './peer-requests.ts';
import { decodeVoterChange } from './voter-change-codec.ts';

/** A number is never given a second meaning. */
export const requestKinds = { command: 1, readIndex: 2, changeVoters: 3, transfer: 4, forwarded: 5 } as const;

const offsetCodec = integer<Offset>(Number.MAX_SAFE_INTEGER);
const nodeCodec = integer<number>(2 ** 31 - 1, -1);
const termCodec = integer<Term>(2 ** 31 - 1);

/**
 * The body of a command for the leader of this term only: one that comes late, when others have led meanwhile, is not carried out
 * after what was decided since.
 */
export function encodeCommandRequest(term: Term, command: ControllerCommand): Uint8Array {
  const writer = new FieldWriter();
  termCodec.write(writer, term);
  writer.bytes(encodeCommand(command));
  return writer.finish();
}

function decodeCommandRequest(body: Uint8Array): {
  readonly term: Term;
  readonly command: ControllerCommand;
} {
  const { term, rest } = readable('command', () => {
    const reader = new FieldReader(body);
    return { term: termCodec.read(reader), rest: reader.bytes(reader.left) };
  });
  const decoded = decodeCommand(rest);
  if (!decoded.ok) throw TidemarkError.from(decoded);
  return { term, command: decoded.command };
}

export function encodeOffset(offset: Offset): Uint8Array {
  const writer = new FieldWriter();
  offsetCodec.write(writer, offset);
  return writer.finish();
}

/** Throws MalformedRecord. */
export const decodeOffset = (bytes: Uint8Array): Offset => offsetCodec.read(new FieldReader(bytes));

/** The body of a request to hand over; undefined: to whichever voter is furthest. */
export function encodeTransfer(to: NodeId | undefined): Uint8Array {
  const writer = new FieldWriter();
  nodeCodec.write(writer, to ?? -1);
  return writer.finish();
}

function decodeTransfer(body: Uint8Array): NodeId | undefined {
  const to = readable('transfer', () => nodeCodec.read(new FieldReader(body)));
  return to < 0 ? undefined : (to as NodeId);
}

/**
 * Answers what a client asked of a node that cannot answer it itself. Both as the client's protocol has them: they mean nothing here.
 * Throws TidemarkError, NOT_CONTROLLER where somebody else should be asked.
 */
export type ForwardedHandler = (method: string, request: Uint8Array) => Promise<Uint8Array>;

export function encodeForwarded(method: string, request: Uint8Array): Uint8Array {
  const writer = new FieldWriter();
  text.write(writer, method);
  writer.bytes(request);
  return writer.finish();
}

export function serveForwarded(requests: PeerRequests, answer: ForwardedHandler): void {
  requests.serve(requestKinds.forwarded, (_from, body) => {
    const { method, request } = readable('forwarded', () => {
      const reader = new FieldReader(body);
      return { method: text.read(reader), request: reader.bytes(reader.left) };
    });
    return answer(method, request);
  });
}

/** A request whose body cannot be read is refused: that is its sender's fault, and no bug here. */
function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedRecord)) throw error;
    throw TidemarkError.from(failure('CORRUPT_MESSAGE', `A ${what} request ${error.message}.`));
  }
}

type Done = { readonly ok: true } | Failure;

/** What this node does while it leads. Each answers NOT_CONTROLLER while it does not. */
export interface LeaderWork {
  /** In which it decides; undefined while it does not. */
  readonly term: Term | undefined;
  submit<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure>;
  readIndex(): Promise<{ readonly ok: true; readonly offset: Offset } | Failure>;
  changeVoters(change: VoterChange, timeoutMs: number): Promise<Done>;
  transfer(to: NodeId | undefined, timeoutMs: number): Promise<Done>;
}

/** Answers the requests of other nodes from now on. */
export function serveLeaderRequests(requests: PeerRequests, clock: Clock, leader: LeaderWork): void {
  requests.serve(requestKinds.command, async (_from, body) => {
    const { term, command } = decodeCommandRequest(body);
    if (leader.term !== term) {
      throw new TidemarkError(
        'NOT_CONTROLLER',
        'This node is not the active controller the command was meant for.',
      );
    }
    const response = await leader.submit(command);
    // Where to go instead, and what is not known, is said by the request's own failure.
    if (isFailure(response) && isOfTheQuorum(response)) throw TidemarkError.from(response);
    return encodeResponse(command.type, response);
  });
  requests.serve(requestKinds.readIndex, async () => {
    const { offset } = orThrow(await leader.readIndex());
    return encodeOffset(offset);
  });
  requests.serve(requestKinds.changeVoters, async (_from, body, { deadlineMs }) => {
    const decoded = decodeVoterChange(body);
    if (!decoded.ok) throw TidemarkError.from(decoded);
    orThrow(await leader.changeVoters(decoded.change, deadlineMs - clock.monotonicMs()));
    return new Uint8Array(0);
  });
  requests.serve(requestKinds.transfer, async (_from, body, { deadlineMs }) => {
    const to = decodeTransfer(body);
    orThrow(await leader.transfer(to, deadlineMs - clock.monotonicMs()));
    return new Uint8Array(0);
  });
}

const isOfTheQuorum = ({ error }: Failure): boolean =>
  error === 'NOT_CONTROLLER' || error === 'THROTTLING_QUOTA_EXCEEDED' || error === 'REQUEST_TIMED_OUT';

function orThrow<R extends object>(answer: R | Failure): R {
  if (isFailure(answer)) throw TidemarkError.from(answer);
  return answer;
}
