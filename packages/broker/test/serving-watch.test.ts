// When a node that was ready stops being so: unheard by the controller, without a leader of the quorum, behind; and when not.
import { expect } from 'chai';
import type { Clock } from '@tidemark/core';
import { HealthRegistry } from '@tidemark/rpc';
import { Readiness } from '../src/readiness.ts';
import { ServingWatch, type ServingWatchOptions } from '../src/serving-watch.ts';
import { testConfig } from './harness.ts';

class HandClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  wallMs = (): number => this.#nowMs;
  monotonicMs = (): number => this.#nowMs;

  setTimer(delayMs: number, run: () => void) {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((each) => each !== timer)) };
  }

  get timers(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = end;
  }
}

describe('whether a node still serves', () => {
  function watched() {
    const clock = new HandClock();
    const health = new HealthRegistry();
    health.set('', 'SERVING');
    const readiness = new Readiness(health);
    const state = { isIsolated: false, leader: {} as object | undefined, commitOffset: 5, appliedOffset: 5 };
    const watch = new ServingWatch({
      clock,
      config: testConfig('unused', { 'broker.session.timeout.ms': '9000' }),
      readiness,
      metadata: {
        get quorum() {
          return { leader: state.leader, commitOffset: state.commitOffset };
        },
        get appliedOffset() {
          return state.appliedOffset;
        },
      } as unknown as ServingWatchOptions['metadata'],
      lifecycle: state,
    });
    return { clock, health, readiness, state, watch };
  }

  it('is not ready while the controller does not hear it, and is again when it does', () => {
    const { clock, health, readiness, state } = watched();
    clock.pass(2_000);
    expect(readiness.ready).to.equal(true);
    state.isIsolated = true;
    clock.pass(500);
    expect(Object.keys(readiness.reasons)).to.deep.equal(['registered']);
    expect(health.get('')).to.equal('NOT_SERVING');
    state.isIsolated = false;
    clock.pass(500);
    expect([readiness.ready, health.get('')]).to.deep.equal([true, 'SERVING']);
  });

  it('stays ready over an election, and not without a leader for a session', () => {
    const { clock, readiness, state } = watched();
    state.leader = undefined;
    clock.pass(8_500);
    expect(readiness.ready).to.equal(true);
    clock.pass(1_000);
    expect(Object.keys(readiness.reasons)).to.deep.equal(['caught-up']);
    state.leader = {};
    clock.pass(500);
    expect(readiness.ready).to.equal(true);
  });

  it('is not ready when it is far behind the metadata', () => {
    const { clock, readiness, state } = watched();
    state.commitOffset = 1_005;
    clock.pass(500);
    expect(readiness.ready).to.equal(true);
    state.commitOffset = 1_006;
    clock.pass(500);
    expect(readiness.reasons['caught-up']).to.contain('1001');
  });

  it('leaves nothing on the clock', () => {
    const { clock, watch } = watched();
    watch.close();
    expect(clock.timers).to.equal(0);
  });
});
