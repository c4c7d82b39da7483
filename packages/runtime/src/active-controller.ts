// The controller while its node leads the quorum: decide, propose, wait until committed, answer.
//
// Commands are decided one after another the moment they arrive, against the image as it will be once everything proposed
// before them is committed; so a burst of them shares one write. A response is held until its records are committed, or, for a
// command without records, until everything it was decided on is and this node is known to lead still. When the node leads no longer, what waits is given up:
// whether its records get committed after all is for the next leader to decide, so the answer says that it is not known.

import {
  applyRecords,
  BrokerSessions,
  RecentRefusals,
  type Controller,
  type ControllerCommand,
  type MetadataImage,
  type ResponseTo,
} from '@tidemark/controller';
import {
  failure,
  invariant,
  type BrokerEpoch,
  type BrokerId,
  type Clock,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type Prng,
  type Term,
} from '@tidemark/core';
import { encodeMetadataBatch } from './metadata-batch.ts';
import type { MetadataState } from './quorum/metadata-state.ts';
import type { RaftQuorum } from './quorum/raft-quorum.ts';

export interface ActiveControllerOptions {
  readonly controller: Controller;
  readonly quorum: Pick<
    RaftQuorum,
    'propose' | 'readIndex' | 'isServing' | 'term' | 'logEndOffset' | 'predecessor'
  >;
  readonly state: Pick<MetadataState, 'image' | 'position'>;
  readonly clock: Clock;
  readonly prng: Prng;
  /** Commands decided and not yet answered; beyond it those of clients are refused with THROTTLING_QUOTA_EXCEEDED. */
  readonly maxWaitingCommands: number;
  readonly sessionTimeoutMs: number;
  readonly refusedTimeoutMs: number;
  /** The broker of this very process, if it is one. */
  readonly self: BrokerId | undefined;
  /** Told when it becomes active, and when it is no longer. */
  readonly onActive: (isActive: boolean) => void;
}

/** A decision that waits for the quorum. */
interface Waiting {
  /** All below it must be applied. */
  readonly endOffset: number;
  /** Where its records begin, and the image with them, if it has any. */
  readonly baseOffset: number | undefined;
  readonly after: MetadataImage | undefined;
  readonly answer: () => void;
  readonly giveUp: () => void;
}

export class ActiveController {
  readonly sessions: BrokerSessions;
  /** Seen while it is not active. */
  readonly refusals: RecentRefusals;
  readonly #options: ActiveControllerOptions;
  /** The term it is active in; undefined while it is not. */
  #term: Term | undefined;
  /** In the order they were decided in, which is that of their offsets. */
  #waiting: Waiting[] = [];
  #isClosing = false;
  /** Whoever waits until nothing waits any more. */
  #whenDrained: (() => void)[] = [];

  constructor(options: ActiveControllerOptions) {
    this.#options = options;
    this.sessions = new BrokerSessions(options.sessionTimeoutMs, options.refusedTimeoutMs);
    this.refusals = new RecentRefusals(options.refusedTimeoutMs);
  }

  /** With everything decided so far, committed or on its way. */
  get pendingImage(): MetadataImage {
    return this.#waiting.findLast(({ after }) => after !== undefined)?.after ?? this.#options.state.image;
  }

  /** The term it is active in; undefined while it is not. */
  get term(): Term | undefined {
    return this.#term;
  }

  get isActive(): boolean {
    return this.#term !== undefined;
  }

  /** Looks whether this node may decide: it leads, has committed something of its own term, and has applied all there is. */
  update(): void {
    const { quorum, state, clock, self, onActive } = this.#options;
    const { isServing, term, logEndOffset } = quorum;
    if (this.#term !== undefined && (!isServing || term !== this.#term)) {
      this.#term = undefined;
      const lost = this.#waiting;
      this.#waiting = [];
      for (const { giveUp } of lost) giveUp();
      onActive(false);
    }
    this.#closeIfDrained();
    if (this.#isClosing) return;
    if (this.#term === undefined && isServing && state.position.endOffset === logEndOffset) {
      this.#term = term;
      const { predecessor } = quorum;
      const before = predecessor && {
        id: predecessor.leader.nodeId as number as BrokerId,
        heardMs: predecessor.atMs,
      };
      this.sessions.reset(state.image, clock.monotonicMs(), { self, refusals: this.refusals, before });
      onActive(true);
    }
  }

  /** The image with the records at `baseOffset`, if it was worked out when they were proposed. */
  imageAfter(baseOffset: Offset): MetadataImage | undefined {
    return this.#waiting.find((waiting) => waiting.baseOffset === baseOffset)?.after;
  }

  /** Everything below `endOffset` is applied. */
  applied(endOffset: Offset): void {
    const done = this.#waiting.findIndex((waiting) => waiting.endOffset > endOffset);
    const answered = this.#waiting.splice(0, done < 0 ? this.#waiting.length : done);
    for (const { answer } of answered) answer();
    this.#closeIfDrained();
    if (this.#term === undefined) this.update();
  }

  /** Decides nothing from now on. Resolves when everything decided before is answered, or given up with the leadership. */
  close(): Promise<void> {
    this.#isClosing = true;
    return new Promise((resolve) => {
      this.#whenDrained.push(resolve);
      this.#closeIfDrained();
    });
  }

  /**
   * Decides the command now and answers once that is committed and applied here. Besides the command's own failures:
   * NOT_CONTROLLER and THROTTLING_QUOTA_EXCEEDED (nothing happened), REQUEST_TIMED_OUT (it is not known what happened).
   */
  submit<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure> {
    const refused = this.#refusal(command.type);
    if (refused !== undefined) return Promise.resolve(refused);
    const { controller, quorum, prng, clock } = this.#options;
    const image = this.pendingImage;
    const nextOffset = quorum.logEndOffset;
    const nowMs = clock.monotonicMs();
    const input = { image, nextOffset, prng, nowMs, sessions: this.sessions };
    const decided = controller.handle(command, input);
    // A refusal, too, may rest on what is not committed yet: "the topic exists".
    if (!decided.ok) return this.#unchanged(command, nextOffset, decided);
    const { records, response } = decided;
    if (records.length === 0) {
      this.#touch(command, response);
      return this.#unchanged(command, nextOffset, response);
    }
    const { bytes } = encodeMetadataBatch(records, clock.wallMs(), 0 as LeaderEpoch);
    const proposed = quorum.propose(bytes, records.length);
    if (!proposed.ok) return Promise.resolve(proposed);
    invariant(proposed.baseOffset === nextOffset, 'records got the offsets they were decided for');
    this.#touch(command, response);
    const after = applyRecords(image, records, nextOffset);
    return this.#wait(nextOffset + records.length, response, nextOffset, after);
  }

  #refusal(type: ControllerCommand['type']): Failure | undefined {
    // Nothing may be decided between the end of a leadership and hearing of it.
    this.update();
    if (this.#term === undefined || this.#isClosing) {
      return failure('NOT_CONTROLLER', 'This node is not the active controller at the moment.');
    }
    if (NEVER_TOO_MANY.has(type)) return undefined;
    if (this.#waiting.length < this.#options.maxWaitingCommands) return undefined;
    return failure(
      'THROTTLING_QUOTA_EXCEEDED',
      `${this.#waiting.length} commands wait for the metadata log; retry a little later.`,
    );
  }

  /**
   * What changes nothing says what is, and a leader that was replaced without noticing would say what was. So it proves first that
   * it led when it was asked. Not for heartbeats, which come too often: a broker that hears of its session from a leader that was
   * replaced hears it for one check-quorum time at most, and every change it wants is decided by the next leader anyway.
   */
  async #unchanged<R>(command: ControllerCommand, endOffset: number, result: R): Promise<R | Failure> {
    const waited = this.#wait(endOffset, result);
    if (command.type === 'heartbeat') return waited;
    const [read, answer] = await Promise.all([this.#options.quorum.readIndex(), waited]);
    return read.ok ? answer : read;
  }

  #closeIfDrained(): void {
    if (!this.#isClosing || this.#waiting.length > 0) return;
    if (this.#term !== undefined) {
      this.#term = undefined;
      this.#options.onActive(false);
    }
    for (const resolve of this.#whenDrained.splice(0)) resolve();
  }

  /** A broker that speaks is alive, whether its command changes anything or not. */
  #touch(command: ControllerCommand, response: object): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (command.type === 'heartbeat') {
      const { brokerId, brokerEpoch, appliedOffset } = command;
      this.sessions.touch(brokerId, brokerEpoch, nowMs, appliedOffset);
    } else if (command.type === 'registerBroker' && 'brokerEpoch' in response) {
      this.sessions.touch(command.brokerId, response.brokerEpoch as BrokerEpoch, nowMs);
    }
  }

  #wait<R>(endOffset: number, result: R, baseOffset?: number, after?: MetadataImage): Promise<R | Failure> {
    if (endOffset <= this.#options.state.position.endOffset) return Promise.resolve(result);
    return new Promise((resolve) => {
      this.#waiting.push({
        endOffset,
        baseOffset,
        after,
        answer: () => resolve(result),
        giveUp: () => resolve(after === undefined ? noLongerActive : outcomeUnknown),
      });
    });
  }
}

/**
 * Of what nodes ask for themselves there are only so many at a time as there are nodes. Refused because clients ask for too much, brokers
 * that are well would be fenced, and those that are not would go on leading.
 */
const NEVER_TOO_MANY: ReadonlySet<ControllerCommand['type']> = new Set([
  'registerBroker',
  'heartbeat',
  'fenceBroker',
  'settlePartitions',
  'alterPartition',
  'reportOfflineReplicas',
]);

const noLongerActive = failure(
  'NOT_CONTROLLER',
  'This node is the active controller no longer; nothing was done.',
);
const outcomeUnknown = failure(
  'REQUEST_TIMED_OUT',
  'The active controller changed before this was committed; whether it took effect shows in the metadata.',
);
