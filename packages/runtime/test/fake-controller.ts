// A controller and this node's replica of its metadata in one, which does what the test says.

import {
  applyRecords,
  MetadataImage,
  type ControllerCommand,
  type HeartbeatCommand,
  type MetadataRecord,
  type RegisterBrokerCommand,
  type ResponseTo,
} from '@tidemark/controller';
import { failure, topicIdFromBytes, type BrokerEpoch, type BrokerId, type Failure } from '@tidemark/core';
import type { BrokerMetadata } from '@tidemark/runtime';
import type { SimClock } from '@tidemark/simulation';

export const SELF = 1 as BrokerId;
export const CLUSTER_ID = 'cluster';

/** `lost`: no answer ever; the caller's time runs out. */
type Answer = object | Failure | 'lost';

export class FakeController implements BrokerMetadata {
  term = 1;
  image = MetadataImage.empty();
  readonly clock: SimClock;
  readonly submitted: { readonly atMs: number; readonly command: ControllerCommand }[] = [];
  /** From the decision to the answer, and to the image of this node, in ms. */
  answerAfterMs = 5;
  imageAfterMs = 5;
  register: (command: RegisterBrokerCommand) => Answer = (command) => this.accept(command);
  heartbeat: (command: HeartbeatCommand) => Answer = (command) => this.serve(command);
  readonly #listeners = new Set<(image: MetadataImage, previous: MetadataImage) => void>();
  #committed = MetadataImage.empty();

  constructor(clock: SimClock) {
    this.clock = clock;
    this.#committed = applyRecords(this.#committed, [{ type: 'cluster', clusterId: CLUSTER_ID }], 0);
    this.image = this.#committed;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure> {
    this.submitted.push({ atMs: this.clock.monotonicMs(), command });
    const answer =
      command.type === 'registerBroker'
        ? this.register(command)
        : command.type === 'heartbeat'
          ? this.heartbeat(command)
          : failure('INVALID_REQUEST');
    const [given, afterMs] =
      answer === 'lost' ? [failure('REQUEST_TIMED_OUT'), timeoutMs] : [answer, this.answerAfterMs];
    return new Promise((resolve) => {
      this.clock.after(afterMs, () => resolve(given as ResponseTo<C> | Failure));
    });
  }

  /** When heartbeats were sent. */
  get heartbeatsMs(): number[] {
    return this.submitted.filter(({ command }) => command.type === 'heartbeat').map(({ atMs }) => atMs);
  }

  get lastHeartbeat(): HeartbeatCommand {
    return this.submitted.findLast(({ command }) => command.type === 'heartbeat')!
      .command as HeartbeatCommand;
  }

  /** Commits records; this node applies them a little later. */
  commit(...records: MetadataRecord[]): void {
    this.#committed = applyRecords(this.#committed, records, this.#committed.offset + 1);
    const image = this.#committed;
    this.clock.after(this.imageAfterMs, () => this.show(image));
  }

  show(image: MetadataImage): void {
    const previous = this.image;
    this.image = image;
    for (const listener of [...this.#listeners]) listener(image, previous);
  }

  /** What the controller does with a registration. */
  accept(command: {
    readonly brokerId: BrokerId;
    readonly incarnationId: string;
    readonly directoryId: string;
  }): object {
    const { brokerId, incarnationId, directoryId } = command;
    const before = this.#committed.broker(brokerId);
    if (before?.incarnationId === incarnationId) return { brokerEpoch: before.epoch };
    const brokerEpoch = (this.#committed.offset + 1) as BrokerEpoch;
    const own = { brokerId, brokerEpoch, incarnationId, directoryId, rack: '', endpoints: [] };
    this.commit({ type: 'registerBroker', ...own, fenced: true });
    return { brokerEpoch };
  }

  /** Another process registers under the same id. */
  takeOver(brokerId: BrokerId = SELF): BrokerEpoch {
    const another = topicIdFromBytes(new Uint8Array(16).fill(this.#committed.offset + 1));
    this.accept({ brokerId, incarnationId: another, directoryId: another });
    return this.#committed.offset as BrokerEpoch;
  }

  /** What the controller does with a heartbeat. */
  serve({ brokerId, brokerEpoch, wantFence, wantShutDown, appliedOffset }: HeartbeatCommand): Answer {
    const broker = this.#committed.broker(brokerId);
    if (broker === undefined) return failure('BROKER_ID_NOT_REGISTERED');
    if (broker.epoch !== brokerEpoch) return failure('STALE_BROKER_EPOCH');
    const caughtUp = appliedOffset > broker.epoch;
    const unfence = broker.fenced && !wantFence && caughtUp;
    if (unfence) this.commit({ type: 'brokerChange', brokerId, brokerEpoch, fenced: false });
    if (wantShutDown && !broker.inControlledShutdown) {
      this.commit({ type: 'brokerChange', brokerId, brokerEpoch, inControlledShutdown: true });
    }
    return {
      fenced: broker.fenced && !unfence,
      caughtUp,
      inControlledShutdown: wantShutDown,
      shouldShutDown: false,
    };
  }
}
