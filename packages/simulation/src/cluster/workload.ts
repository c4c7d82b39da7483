// The clients of a simulated cluster: each asks a random node for one thing at a time, and waits for the answer or a time-out of
// its own. Contract: everything asked and answered goes into the history; a node that goes away takes its answers with it.

import { type Failure } from '@tidemark/core';
import { type SimPrng } from '../sim-prng.ts';
import { type ClientHistory, type Outcome } from './client-history.ts';
import { type SimHost } from './sim-host.ts';
import { type SimulatedNode } from './simulated-node.ts';
import { type SimWorld } from './sim-world.ts';

export interface WorkloadOptions {
  readonly clients: number;
  /** Between an answer and the next question, in ms, on average. */
  readonly pauseMs: number;
  /** A client gives up on an answer then. */
  readonly timeoutMs: number;
  /** Of each topic that clients create; 0: as many as is usual. */
  readonly topicReplicas: number;
}

export class Workload {
  readonly #world: SimWorld;
  readonly #history: ClientHistory;
  readonly #options: WorkloadOptions;
  /** Topics that somebody is setting the value of: two at once could not tell whose came last. */
  readonly #busy = new Set<string>();
  #isStopped = false;
  #names = 0;

  constructor(world: SimWorld, history: ClientHistory, options: WorkloadOptions) {
    this.#world = world;
    this.#history = history;
    this.#options = options;
  }

  start(prng: SimPrng): void {
    for (let client = 0; client < this.#options.clients; client++) this.#loop(prng.fork(`client ${client}`));
  }

  stop(): void {
    this.#isStopped = true;
  }

  #loop(prng: SimPrng): void {
    const { pauseMs } = this.#options;
    this.#world.clock.after(prng.below(2_000 * pauseMs) / 1_000, () => {
      if (this.#isStopped) return;
      this.#ask(prng, () => this.#loop(prng));
    });
  }

  /** `next` is called once, when there is an answer, or there will be none. */
  #ask(prng: SimPrng, next: () => void): void {
    const up = this.#world.hosts.filter(({ node, isPaused }) => node !== undefined && !isPaused);
    const host = up[prng.below(Math.max(1, up.length))];
    if (host?.node === undefined) {
      next();
      return;
    }
    const { timeoutMs } = this.#options;
    let isDone = false;
    const done = (): void => {
      if (isDone) return;
      isDone = true;
      giveUp.cancel();
      next();
    };
    const giveUp = this.#world.clock.after(timeoutMs * 1.5, done);
    // What a node answers after its end was not answered.
    const { node } = host;
    const isThere = (): boolean => host.node === node;
    const settle = (outcome: Promise<void>): void => {
      outcome.then(done, (cause: unknown) => {
        if (isThere()) {
          this.#world.violations.report(
            'node-failed',
            `node ${host.id} rejected a request: ${String(cause)}`,
          );
        }
        done();
      });
    };
    const draw = prng.below(100);
    const living = this.#history.living;
    const name = living[prng.below(Math.max(1, living.length))];
    if (draw < 25 || name === undefined) settle(this.#create(node, isThere));
    else if (draw < 55 && !this.#busy.has(name)) settle(this.#set(node, name, prng, isThere));
    else if (draw < 70) settle(this.#delete(node, name, isThere));
    else settle(this.#read(host, node, isThere));
  }

  async #create(node: SimulatedNode, isThere: () => boolean): Promise<void> {
    const name = `topic-${++this.#names}`;
    this.#history.creating(name);
    const answer = await node.createTopic(name, this.#options.topicReplicas, this.#options.timeoutMs);
    if (!isThere()) return;
    this.#history.created(name, outcomeOf(answer), answer.ok ? answer.id : undefined);
  }

  async #set(node: SimulatedNode, name: string, prng: SimPrng, isThere: () => boolean): Promise<void> {
    const value = `${prng.uint32()}`;
    const attempt = this.#history.setting(name, value);
    this.#busy.add(name);
    const answer = await node.setValue(name, value, this.#options.timeoutMs);
    this.#busy.delete(name);
    if (!isThere()) return;
    this.#history.set(attempt, outcomeOf(answer));
  }

  async #delete(node: SimulatedNode, name: string, isThere: () => boolean): Promise<void> {
    this.#history.deleting(name);
    const answer = await node.deleteTopic(name, this.#options.timeoutMs);
    if (!isThere()) return;
    this.#history.deleted(name, outcomeOf(answer));
  }

  async #read(host: SimHost, node: SimulatedNode, isThere: () => boolean): Promise<void> {
    const { checks } = this.#world;
    const askedAt = checks.committedOffset;
    const askedWith = this.#history.newestAcknowledged;
    const answer = await node.readBarrier(this.#options.timeoutMs);
    if (!isThere() || !answer.ok) return;
    const { image } = node;
    checks.readAnswered(`node ${host.id}`, askedAt, answer.offset, image.offset);
    this.#history.read(`node ${host.id}`, image, askedWith);
  }
}

/** Only these say that nothing has happened. */
const DEFINITE: ReadonlySet<string> = new Set([
  'NOT_CONTROLLER',
  'NETWORK_EXCEPTION',
  'THROTTLING_QUOTA_EXCEEDED',
]);

function outcomeOf(answer: { readonly ok: true } | Failure): Outcome {
  if (answer.ok) return { known: 'acknowledged', why: '' };
  const known = DEFINITE.has(answer.error) ? 'refused' : 'unknown';
  return { known, why: `${answer.error}: ${answer.message}` };
}
