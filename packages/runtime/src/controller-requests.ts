// What a node asks of the active controller and of the quorum's leader, wherever that is: commands, read barriers, reads for clients,
// changes of the quorum. Contract: each is settled by its deadline, and sent again only where nothing has happened or where doing it
// twice is the same as once; what each may fail with is told where `MetadataNode` offers it.

import { decodeResponse, type ControllerCommand, type ResponseTo } from '@tidemark/controller';
import type { Clock, Failure, NodeId, Offset, Prng } from '@tidemark/core';
import type { VoterChange } from '@tidemark/raft';
import type { ActiveController } from './active-controller.ts';
import type { AppliedBarriers } from './applied-barriers.ts';
import { READ_ATTEMPT_MS, tooLate, type LeaderCall, type LeaderCaller } from './leader-caller.ts';
import {
  decodeOffset,
  encodeCommandRequest,
  encodeForwarded,
  encodeTransfer,
  requestKinds,
} from './leader-requests.ts';
import type { QuorumChanges } from './quorum-changes.ts';
import type { RaftQuorum } from './quorum/raft-quorum.ts';
import { TopicCreation, type TopicCreationNode } from './topic-creation.ts';
import { encodeVoterChange } from './voter-change-codec.ts';

export interface ControllerRequestsOptions {
  /** Whose requests they are. */
  readonly node: TopicCreationNode;
  readonly leader: LeaderCaller;
  readonly quorum: Pick<RaftQuorum, 'readIndex' | 'term'>;
  readonly active: Pick<ActiveController, 'submit'>;
  readonly changes: QuorumChanges;
  readonly barriers: AppliedBarriers;
  readonly clock: Clock;
  readonly prng: Prng;
}

/** Everything below `offset` is applied. */
export interface ReadBarrier {
  readonly ok: true;
  readonly offset: Offset;
}

/** What the leader answered to a client's request. */
export interface Forwarded {
  readonly ok: true;
  readonly response: Uint8Array;
}

export class ControllerRequests {
  readonly #options: ControllerRequestsOptions;

  constructor(options: ControllerRequestsOptions) {
    this.#options = options;
  }

  async submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure> {
    if (command.type !== 'createTopics') return this.#options.leader.call(timeoutMs, this.#callOf(command));
    const creation = new TopicCreation(command, this.#options.node, this.#options.prng);
    try {
      const call = this.#callOf(creation.command, () => creation.sent());
      const answer = await this.#options.leader.call(timeoutMs, {
        ...call,
        inDoubt: (leftMs) => creation.find(leftMs),
      });
      return answer as ResponseTo<C> | Failure;
    } finally {
      creation.close();
    }
  }

  async readBarrier(timeoutMs: number): Promise<ReadBarrier | Failure> {
    const deadlineMs = this.#options.clock.monotonicMs() + timeoutMs;
    const asked = await this.#options.leader.call(timeoutMs, {
      attemptMs: READ_ATTEMPT_MS,
      here: () => this.#options.quorum.readIndex(),
      kind: requestKinds.readIndex,
      body: () => new Uint8Array(0),
      read: (body) => ({ ok: true as const, offset: decodeOffset(body) }),
      inDoubt: 'repeat',
    });
    if (!asked.ok) return asked;
    const leftMs = deadlineMs - this.#options.clock.monotonicMs();
    return (await this.#options.barriers.reach(asked.offset, leftMs)) ? asked : tooLate(timeoutMs);
  }

  changeVoters(change: VoterChange, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#options.leader.call<{ readonly ok: true }>(timeoutMs, {
      here: (leftMs) => this.#options.changes.changeVoters(change, leftMs),
      kind: requestKinds.changeVoters,
      body: () => encodeVoterChange(change),
      read: () => ({ ok: true }),
    });
  }

  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#options.leader.call<{ readonly ok: true }>(timeoutMs, {
      here: (leftMs) => this.#options.changes.transfer(to, leftMs),
      kind: requestKinds.transfer,
      body: () => encodeTransfer(to),
      read: () => ({ ok: true }),
    });
  }

  /** `here`: this node became the leader after it was asked. */
  forward(
    method: string,
    request: Uint8Array,
    timeoutMs: number,
    here: () => Promise<Forwarded | Failure>,
  ): Promise<Forwarded | Failure> {
    return this.#options.leader.call<Forwarded>(timeoutMs, {
      attemptMs: READ_ATTEMPT_MS,
      here,
      kind: requestKinds.forwarded,
      body: () => encodeForwarded(method, request),
      read: (response) => ({ ok: true, response }),
      inDoubt: 'repeat',
    });
  }

  #callOf<C extends ControllerCommand>(
    command: C,
    sent: () => void = () => undefined,
  ): LeaderCall<ResponseTo<C>> {
    return {
      here: () => {
        sent();
        return this.#options.active.submit(command);
      },
      kind: requestKinds.command,
      // For the leader of this term only: one that comes late, when others have led meanwhile, is not carried out after what was
      // decided since.
      body: () => {
        sent();
        return encodeCommandRequest(this.#options.quorum.term, command);
      },
      read: (body) => decodeResponse(command.type, body) as ResponseTo<C> | Failure,
      ...(isRepeatable(command) ? { inDoubt: 'repeat' as const } : {}),
    };
  }
}

const REPEATABLE: ReadonlySet<ControllerCommand['type']> = new Set([
  'registerCluster',
  'registerBroker',
  'heartbeat',
  'fenceBroker',
  'unfenceBroker',
  'alterPartition',
  'reportOfflineReplicas',
  'allocateProducerIds',
  'settlePartitions',
  'balanceLeaders',
]);

/**
 * Whether a command that may have been carried out can be given again: one that names an incarnation or an epoch, or what it finds
 * out for itself. What an operator asks for is none of these, because somebody else may have asked for the contrary in between.
 */
function isRepeatable(command: ControllerCommand): boolean {
  return REPEATABLE.has(command.type) || ('validateOnly' in command && command.validateOnly);
}
