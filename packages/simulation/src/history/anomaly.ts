// Anomalies: what a history of clients and replicas must not show, by name. The names are those of Jepsen's Kafka workload where it
// has one. A report counts each of them and keeps the first few in words.
export const anomalyNames = [
  'lost-write',
  'unseen',
  'inconsistent-offsets',
  'duplicate',
  'phantom',
  'failed-write-read',
  'reordered',
  'poll-skip',
  'nonmonotonic-poll',
  'precommitted-read',
  'hw-regressed',
  'replica-mismatch',
  'offset-gap',
  'too-little-traffic',
  'no-progress-during-fault',
  'no-progress-after-heal',
  'no-full-isr',
] as const;

export type AnomalyName = (typeof anomalyNames)[number];

/** Acknowledged records of one partition that are not there in the end. */
export interface Loss {
  readonly tp: string;
  /** Under which they were acknowledged or, between two faults, the one that came next: `kill-leader #3`; empty: after all of them. */
  readonly fault: string;
  readonly count: number;
  /** As they were acknowledged. */
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export interface HistoryReport {
  readonly passed: boolean;
  readonly acknowledged: number;
  readonly failed: number;
  /** Neither acknowledged nor known not to be there. */
  readonly unknown: number;
  readonly losses: readonly Loss[];
  readonly counts: ReadonlyMap<AnomalyName, number>;
  /** The first few of each name. */
  readonly examples: readonly string[];
}

const KEPT_OF_EACH = 5;

export class Anomalies {
  readonly counts = new Map<AnomalyName, number>();
  readonly examples: string[] = [];

  add(name: AnomalyName, what: string): void {
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    if (count <= KEPT_OF_EACH) this.examples.push(`${name}: ${what}`);
  }
}
