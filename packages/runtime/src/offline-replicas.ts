// Tells the controller which replicas of this broker are not open and will not be by themselves, so that others lead and nobody's acks=all
// waits for them. Contract: told once a second for as long as another broker could stand in, and never else.

import type {
  MetadataImage,
  OfflineReplica,
  ReportedOfflineReplicas,
  ReportOfflineReplicasCommand,
} from '@tidemark/controller';
import type { BrokerEpoch, BrokerId, Failure } from '@tidemark/core';

export interface OfflineReplicasOptions {
  readonly self: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  readonly image: () => MetadataImage;
  readonly offline: () => Iterable<OfflineReplica>;
  readonly requestTimeoutMs: number;
  readonly submit: (
    command: ReportOfflineReplicasCommand,
    timeoutMs: number,
  ) => Promise<ReportedOfflineReplicas | Failure>;
  /** A bug: the process ends. */
  readonly onError: (cause: unknown, doing: string) => void;
}

export const REPORT_OFFLINE_MS = 1_000;
/** Most in one request. Each that is told of leaves the list, so that the others have their turn. */
const MAX_IN_ONE = 2_000;

export class OfflineReplicas {
  readonly #options: OfflineReplicasOptions;
  #isAsking = false;

  constructor(options: OfflineReplicasOptions) {
    this.#options = options;
  }

  /** What is refused, or not answered, is told again the next time. */
  report(): void {
    const { self, brokerEpoch, submit, requestTimeoutMs, onError } = this.#options;
    if (this.#isAsking) return;
    const partitions = this.#due();
    if (partitions.length === 0) return;
    this.#isAsking = true;
    const type = 'reportOfflineReplicas';
    submit({ type, brokerId: self, brokerEpoch, partitions }, requestTimeoutMs)
      .catch((cause: unknown) => onError(cause, 'telling of replicas that are not open'))
      .finally(() => {
        this.#isAsking = false;
      });
  }

  /** This broker counts as having every committed record, and so does another that is there. */
  #due(): readonly OfflineReplica[] {
    const { self, image: imageOf, offline } = this.#options;
    const image = imageOf();
    const due: OfflineReplica[] = [];
    for (const { topicId, partition } of offline()) {
      const { isr = [], elr = [] } = image.topicById(topicId)?.partitions[partition] ?? {};
      const holders = [...isr, ...elr];
      if (!holders.includes(self) || !holders.some((id) => id !== self && image.isActive(id))) continue;
      due.push({ topicId, partition });
      if (due.length === MAX_IN_ONE) break;
    }
    return due;
  }
}
