// What the clients asked for and were told, held against what the cluster has in the end. Topic names are given out once, so each
// stands for one command: an acknowledged one is there, once; one that was refused for sure never happened; of the others either.

import { isInternalTopic } from '@tidemark/core';
import { RECORD_TOPIC } from './replica-checks.ts';
import { type ImageView } from './simulated-node.ts';
import { type Report } from './violations.ts';

/** `unknown` covers what is still under way. */
export type Known = 'acknowledged' | 'refused' | 'unknown';

/** How a command ended, as far as its client knows; `why`: the failure, for messages. */
export interface Outcome {
  readonly known: Known;
  readonly why: string;
}

interface Attempt {
  readonly value: string;
  outcome: Outcome;
}

interface Topic {
  readonly name: string;
  created: Outcome;
  id: string | undefined;
  deleted: Outcome | undefined;
  readonly values: Attempt[];
}

const PENDING: Outcome = { known: 'unknown', why: 'no answer' };

export class ClientHistory {
  readonly #report: Report;
  readonly #topics = new Map<string, Topic>();
  /** Acknowledged and not asked to be deleted: clients may work on these. */
  readonly #living: string[] = [];
  acknowledged = 0;
  refused = 0;
  unknown = 0;
  reads = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  get living(): readonly string[] {
    return this.#living;
  }

  /** A topic that a read asked for now must show; undefined when there is none. */
  get newestAcknowledged(): string | undefined {
    return this.#living.at(-1);
  }

  creating(name: string): void {
    this.#topics.set(name, { name, created: PENDING, id: undefined, deleted: undefined, values: [] });
  }

  created(name: string, outcome: Outcome, id?: string): void {
    const topic = this.#topics.get(name)!;
    topic.created = outcome;
    topic.id = id;
    this.#count(outcome);
    if (outcome.known === 'acknowledged') this.#living.push(name);
  }

  deleting(name: string): void {
    this.#topics.get(name)!.deleted = PENDING;
    this.#living.splice(this.#living.indexOf(name), 1);
  }

  deleted(name: string, outcome: Outcome): void {
    this.#topics.get(name)!.deleted = outcome;
    this.#count(outcome);
  }

  isDeleting(name: string): boolean {
    return this.#topics.get(name)!.deleted !== undefined;
  }

  setting(name: string, value: string): Attempt {
    const attempt: Attempt = { value, outcome: PENDING };
    this.#topics.get(name)!.values.push(attempt);
    return attempt;
  }

  set(attempt: Attempt, outcome: Outcome): void {
    attempt.outcome = outcome;
    this.#count(outcome);
  }

  /** `askedWith`: the topic that was `newestAcknowledged` when the read was asked for. */
  read(node: string, image: ImageView, askedWith: string | undefined): void {
    this.reads++;
    if (askedWith === undefined || this.isDeleting(askedWith)) return;
    if (image.topic(askedWith) === undefined) {
      this.#report(
        'linearizable-read',
        `${node} answered a read without ${askedWith}, which was acknowledged before`,
      );
    }
  }

  /** Against what the cluster has once everything has come to rest. */
  check(image: ImageView): void {
    for (const topic of this.#topics.values()) this.#checkTopic(topic, image);
    for (const name of image.topicNames()) {
      if (!this.#topics.has(name) && name !== RECORD_TOPIC && !isInternalTopic(name))
        this.#report('applied-twice', `there is a topic ${name} that nobody asked for`);
    }
  }

  #checkTopic({ name, created, id, deleted, values }: Topic, image: ImageView): void {
    const found = image.topic(name);
    if (found === undefined) {
      if (created.known === 'acknowledged' && (deleted === undefined || deleted.known === 'refused')) {
        this.#report('acknowledged-command-lost', `topic ${name} was acknowledged and is not there`);
      }
      return;
    }
    if (created.known === 'refused') {
      this.#report(
        'applied-twice',
        `the creation of topic ${name} was refused (${created.why}), and it is there`,
      );
    }
    if (deleted?.known === 'acknowledged') {
      this.#report(
        'acknowledged-command-lost',
        `the deletion of topic ${name} was acknowledged, and it is there`,
      );
    }
    if (id !== undefined && found.id !== id) {
      this.#report('applied-twice', `topic ${name} was created as ${id} and is there as ${found.id}`);
    }
    this.#checkValue(name, found.value, values);
  }

  /** One client works on a topic at a time; a command whose outcome it never learned may have come later than its next ones. */
  #checkValue(name: string, value: string | undefined, attempts: readonly Attempt[]): void {
    const last = attempts.findLast(({ outcome }) => outcome.known === 'acknowledged');
    if (value === last?.value) return;
    const from = attempts.find((attempt) => attempt.value === value);
    if (from?.outcome.known === 'unknown') return;
    if (from?.outcome.known === 'refused') {
      this.#report(
        'applied-twice',
        `topic ${name} has the value ${value}, which was refused (${from.outcome.why})`,
      );
    } else {
      this.#report(
        'acknowledged-command-lost',
        `topic ${name} has the value ${value}; acknowledged was ${last?.value}`,
      );
    }
  }

  #count({ known }: Outcome): void {
    if (known === 'acknowledged') this.acknowledged++;
    else if (known === 'refused') this.refused++;
    else this.unknown++;
  }
}
