// Reads that the active controller alone can answer. Where clients can reach it they are told where it is; where they cannot, because it
// is no broker and has no address of theirs, this node asks it on their behalf, over the way nodes have to each other (KIP-590's
// envelope; in Kafka, too, whoever talks to brokers never has to reach a controller).

import { errorTable, isFailure, TidemarkError } from '@tidemark/core';
import { clusterService, quorumService, type WireError } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { describeClusterHealth } from './describe-cluster-health.ts';
import { describeQuorum } from './describe-quorum.ts';
import { timeoutOf } from './within-time.ts';

interface ForwardedRead<Request, Response> {
  readonly method: string;
  readonly wire: {
    requestSerialize(request: Request): Buffer;
    requestDeserialize(bytes: Buffer): Request;
    responseSerialize(response: Response): Buffer;
    responseDeserialize(bytes: Buffer): Response;
  };
  readonly handle: (context: QuorumContext, request: Request) => Promise<Response>;
}

type Request = { readonly timeoutMs: number };
type Response = { readonly error?: WireError | null };

/** The definitions are typed for what is sent and what is read, which are the same messages. */
const read = (method: string, wire: unknown, handle: unknown): ForwardedRead<Request, Response> =>
  ({ method, wire, handle }) as ForwardedRead<Request, Response>;

const READS = {
  DescribeQuorum: read('DescribeQuorum', quorumService.DescribeQuorum, describeQuorum),
  DescribeClusterHealth: read(
    'DescribeClusterHealth',
    clusterService.DescribeClusterHealth,
    describeClusterHealth,
  ),
} as const;

const NOT_CONTROLLER = errorTable.NOT_CONTROLLER.code;

/** The handler of such a read, and what it cannot answer asked for elsewhere. */
export function orForwarded(
  name: keyof typeof READS,
): (context: QuorumContext, request: Request) => Promise<Response> {
  const { method, wire, handle } = READS[name];
  return async (context, request) => {
    const answer = await handle(context, request);
    const { error } = answer;
    const isElsewhere = error?.code === NOT_CONTROLLER && error.controller?.host === '';
    if (!isElsewhere) return answer;
    const bytes = wire.requestSerialize(request);
    const forwarded = await context.metadata.forward(method, bytes, timeoutOf(request));
    if (isFailure(forwarded)) return { error: quorumError(context, forwarded) };
    return wire.responseDeserialize(Buffer.from(forwarded.response));
  };
}

/** What this node answers to others while it is the active controller. */
export function forwardedReads(
  context: QuorumContext,
): (method: string, request: Uint8Array) => Promise<Uint8Array> {
  const reads = new Map(Object.values(READS).map((each) => [each.method, each]));
  return async (method, request) => {
    const found = reads.get(method);
    if (found === undefined) {
      throw new TidemarkError(
        'UNSUPPORTED_VERSION',
        `this node answers no ${method.slice(0, 64)} for others`,
      );
    }
    const answer = await found.handle(context, found.wire.requestDeserialize(Buffer.from(request)));
    if (answer.error?.code === NOT_CONTROLLER)
      throw new TidemarkError('NOT_CONTROLLER', answer.error.message);
    return found.wire.responseSerialize(answer);
  };
}
