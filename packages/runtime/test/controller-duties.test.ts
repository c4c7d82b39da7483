import { expect } from 'chai';
import {
  applyRecords,
  BrokerSessions,
  duties,
  MetadataImage,
  type ControllerCommand,
  type DutyState,
  type MetadataRecord,
} from '@tidemark/controller';
import {
  brokerConfigs,
  failure,
  resolveConfig,
  topicIdFromBytes,
  type BrokerConfig,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
} from '@tidemark/core';
import { ControllerDuties, type DutiesOf } from '@tidemark/runtime';
import { SimClock, SimPrng } from '@tidemark/simulation';

const UUID = topicIdFromBytes(new Uint8Array(16));
const COMMIT_MS = 3;

function defaults(): BrokerConfig {
  const resolved = resolveConfig(brokerConfigs, { file: '' });
  if (!resolved.ok) throw new Error('the defaults are refused');
  return resolved.config;
}

const fence = (id: number): ControllerCommand => ({
  type: 'fenceBroker',
  brokerId: id as BrokerId,
  brokerEpoch: 0 as BrokerEpoch,
});

const registration = (id: number): MetadataRecord => ({
  type: 'registerBroker',
  brokerId: id as BrokerId,
  brokerEpoch: 0 as BrokerEpoch,
  incarnationId: UUID,
  directoryId: UUID,
  rack: '',
  endpoints: [],
  fenced: false,
});

/** An active controller's surroundings; `plan` is what it has to do. */
function world(plan: DutiesOf) {
  const clock = new SimClock();
  const sessions = new BrokerSessions(9000);
  const listeners = new Set<() => void>();
  const all = {
    clock,
    sessions,
    listeners,
    image: MetadataImage.empty(),
    submitted: [] as { readonly atMs: number; readonly command: ControllerCommand }[],
    askedMs: [] as number[],
    states: [] as DutyState[],
    failures: [] as string[],
    fatal: [] as unknown[],
    underWay: 0,
    answer: (): object | Failure => ({}),
    /** Commits something. */
    change: (...records: MetadataRecord[]): void => {
      const made: MetadataRecord[] = records.length > 0 ? records : [{ type: 'cluster', clusterId: 'c' }];
      all.image = applyRecords(all.image, made, all.image.offset + 1);
      for (const listener of [...listeners]) listener();
    },
  };
  const controllerDuties = new ControllerDuties({
    duties: (image, view, nowMs, config, state) => {
      all.askedMs.push(nowMs);
      all.states.push(state);
      return plan(image, view, nowMs, config, state);
    },
    config: defaults(),
    sessions,
    image: () => all.image,
    onImage: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    submit: (command) => {
      expect(all.underWay++, 'commands under way').to.equal(0);
      all.submitted.push({ atMs: clock.monotonicMs(), command });
      const answer = all.answer();
      return new Promise((resolve) => {
        clock.after(COMMIT_MS, () => {
          all.underWay -= 1;
          resolve(answer);
        });
      });
    },
    clock,
    prng: new SimPrng(1),
    onFailure: (_command, cause) => all.failures.push(cause.error),
    onFatal: (cause) => all.fatal.push(cause),
  });
  return Object.assign(all, { duties: controllerDuties });
}

const NOTHING = (nextAtMs = Infinity, balanceAtMs?: number) => ({
  commands: [] as readonly ControllerCommand[],
  nextAtMs,
  state: { balanceAtMs },
});

describe('ControllerDuties', () => {
  it('asks when it is told the controller is active, when the time has come, and else not', async () => {
    const all = world((_image, _sessions, nowMs) => NOTHING(nowMs < 500 ? 500 : Infinity));
    await all.clock.advance(100);
    all.duties.activate(100);
    expect(all.duties.isActive).to.equal(true);
    await all.clock.runUntilIdle();
    expect(all.askedMs).to.deep.equal([100, 500]);
  });

  it('asks at once when a session ended before its time, and not while it is not active', async () => {
    const all = world(() => NOTHING(9000));
    all.duties.hurry();
    await all.clock.advance(100);
    expect(all.askedMs).to.deep.equal([]);
    all.duties.activate(100);
    await all.clock.advance(400);
    all.duties.hurry();
    await all.clock.advance(100);
    expect(all.askedMs).to.deep.equal([100, 500]);
  });

  it('asks when the metadata changed, once for many changes', async () => {
    const all = world(() => NOTHING());
    all.duties.activate(0);
    await all.clock.advance(100);
    for (let change = 0; change < 100; change++) all.change();
    await all.clock.advance(100);
    expect(all.askedMs).to.deep.equal([0, 100]);
    for (let change = 0; change < 100; change++) {
      all.change();
      await all.clock.advance(1);
    }
    expect(all.askedMs.length, 'over 100 ms of changes').to.be.within(15, 24);
  });

  it('submits the commands one after another and asks again at once when told to', async () => {
    const all = world((image, _sessions, nowMs) =>
      image.offset < 5 ? { ...NOTHING(nowMs), commands: [fence(1), fence(2)] } : NOTHING(),
    );
    all.answer = () => {
      all.change();
      return {};
    };
    all.duties.activate(0);
    await all.clock.runUntilIdle();
    const sentMs = all.submitted.map(({ atMs }) => atMs);
    expect(sentMs).to.deep.equal([0, 3, 6, 9, 12, 15]);
    expect(all.submitted.map(({ command }) => command)).to.deep.equal(
      [1, 2, 1, 2, 1, 2].map((id) => fence(id)),
    );
  });

  it('asks again soon after a round during which something else changed', async () => {
    const all = world(() => (all.askedMs.length === 1 ? { ...NOTHING(), commands: [fence(1)] } : NOTHING()));
    all.clock.after(1, () => all.change());
    all.duties.activate(0);
    await all.clock.runUntilIdle();
    expect(all.askedMs).to.deep.equal([0, 5]);
  });

  it('stops at once: neither the rest of a round nor another one, whatever changes', async () => {
    const all = world((_image, _sessions, nowMs) => ({
      ...NOTHING(nowMs + 50),
      commands: [fence(1), fence(2)],
    }));
    all.duties.activate(0);
    await all.clock.advance(1);
    all.duties.deactivate();
    all.duties.deactivate();
    expect([all.duties.isActive, all.listeners.size]).to.deep.equal([false, 0]);
    all.change();
    await all.clock.runUntilIdle();
    expect([all.submitted.length, all.askedMs.length]).to.deep.equal([1, 1]);
  });

  it('begins anew when the controller is active again, and hears nothing of the reign before', async () => {
    const all = world((_image, _sessions, nowMs) => ({
      ...NOTHING(Infinity, nowMs),
      commands: [fence(1), fence(2)],
    }));
    all.answer = () => failure('NOT_CONTROLLER');
    all.duties.activate(0);
    await all.clock.advance(1);
    all.answer = () => {
      all.change();
      return {};
    };
    all.duties.deactivate();
    await all.clock.advance(COMMIT_MS);
    all.duties.activate(4);
    await all.clock.advance(8);
    expect(all.submitted.map(({ atMs }) => atMs)).to.deep.equal([0, 4, 7, 10]);
    expect(all.failures).to.deep.equal([]);
    expect(all.states.slice(0, 3).map(({ balanceAtMs }) => balanceAtMs)).to.deep.equal([
      undefined,
      undefined,
      4,
    ]);
  });

  it('holds nothing up for one command that is refused, and asks again after pauses that grow', async () => {
    const all = world(() => ({ ...NOTHING(Infinity, 1), commands: [fence(1), fence(2)] }));
    all.answer = () => failure('STALE_BROKER_EPOCH');
    all.duties.activate(0);
    await all.clock.advance(10_000);
    expect(all.submitted.slice(0, 2).map(({ command }) => command)).to.deep.equal([fence(1), fence(2)]);
    expect(all.askedMs.length).to.be.within(12, 18);
    expect(all.askedMs.at(-1)! - all.askedMs.at(-2)!).to.be.within(800, 1210);
    expect(all.failures.length).to.equal(all.submitted.length);
    expect(
      all.states.every(({ balanceAtMs }) => balanceAtMs === undefined),
      'what was not done is not noted',
    ).to.equal(true);
  });

  it('leaves the rest of a round when nothing can be decided', async () => {
    const all = world(() => ({ ...NOTHING(), commands: [fence(1), fence(2)] }));
    all.answer = () => failure('THROTTLING_QUOTA_EXCEEDED');
    all.duties.activate(0);
    await all.clock.advance(1000);
    expect(new Set(all.submitted.map(({ command }) => command)).size).to.equal(all.submitted.length);
    expect(all.submitted.every(({ command }) => 'brokerId' in command && command.brokerId === 1)).to.equal(
      true,
    );
  });

  it('is not hurried by changes while it pauses, nor by what it does without effect', async () => {
    const all = world((_image, _sessions, nowMs) => ({ ...NOTHING(nowMs), commands: [fence(1)] }));
    all.duties.activate(0);
    await all.clock.advance(10_000);
    expect(all.askedMs.length, 'without effect').to.be.within(12, 18);
    const asked = all.askedMs.length;
    all.answer = () => failure('KAFKA_STORAGE_ERROR');
    for (let change = 0; change < 1000; change++) {
      all.change();
      await all.clock.advance(10);
    }
    expect(all.askedMs.length - asked, 'over ten seconds of changes').to.be.within(8, 18);
  });

  it('hands a bug in the duties to the process', async () => {
    const all = world(() => {
      throw new Error('a bug');
    });
    all.duties.activate(0);
    await all.clock.runUntilIdle();
    expect(String(all.fatal)).to.equal('Error: a bug');
  });

  it('fences a broker the moment its session is over, with the controller’s real duties', async () => {
    const all = world(duties);
    all.change(registration(1), registration(2));
    all.sessions.reset(all.image, 0);
    all.answer = () => {
      all.change({
        type: 'brokerChange',
        brokerId: 2 as BrokerId,
        brokerEpoch: 0 as BrokerEpoch,
        fenced: true,
      });
      return { fenced: true };
    };
    all.duties.activate(0);
    for (let second = 1; second <= 12; second++) {
      await all.clock.advance(1000);
      all.sessions.touch(1 as BrokerId, 0 as BrokerEpoch, all.clock.monotonicMs());
    }
    expect(all.submitted).to.deep.equal([{ atMs: 9000, command: fence(2) }]);
    expect(all.askedMs.length, 'asked no more often than needed').to.be.below(6);
  });

  it('does not fence a broker that was heard while another was being fenced', async () => {
    const all = world(duties);
    all.change(registration(1), registration(2), registration(3));
    all.sessions.reset(all.image, 0);
    all.answer = () => {
      const [brokerId, brokerEpoch] = [1 as BrokerId, 0 as BrokerEpoch];
      if (all.submitted.length === 1)
        all.change({ type: 'brokerChange', brokerId, brokerEpoch, fenced: true });
      return { fenced: true };
    };
    // The whole process stood still: every session is over by the clock, and what the brokers sent meanwhile comes only now.
    await all.clock.advance(10_000);
    all.duties.activate(10_000);
    await all.clock.advance(1);
    for (const id of [2, 3]) all.sessions.touch(id as BrokerId, 0 as BrokerEpoch, all.clock.monotonicMs());
    await all.clock.advance(1000);
    expect(all.submitted.map(({ command }) => command)).to.deep.equal([fence(1)]);
    all.sessions.touch(2 as BrokerId, 0 as BrokerEpoch, all.clock.monotonicMs());
    await all.clock.advance(8500);
    expect(all.submitted[1]?.command, 'whose next session ends without a word').to.deep.equal(fence(3));
  });
});
