import { expect } from 'chai';
import { MetadataImage } from '@tidemark/controller';
import { failure, TidemarkError, topicIdFromBytes, type BrokerEpoch, type BrokerId } from '@tidemark/core';
import { BrokerLifecycle } from '@tidemark/runtime';
import { SimClock, SimPrng } from '@tidemark/simulation';
import { CLUSTER_ID, FakeController, SELF } from './fake-controller.ts';

const HEARTBEAT_MS = 2000;
const SESSION_MS = 9000;
const REQUEST_MS = 2000;
const DIRECTORY_ID = topicIdFromBytes(new Uint8Array(16).fill(9));
const OTHER = 2 as BrokerId;

function world() {
  const clock = new SimClock();
  const controller = new FakeController(clock);
  const told: string[] = [];
  const fenced: string[] = [];
  const fatal: unknown[] = [];
  const wishes = { fence: false };
  const broker = (seed = 1): BrokerLifecycle =>
    new BrokerLifecycle({
      metadata: controller,
      clock,
      prng: new SimPrng(seed),
      identity: {
        clusterId: CLUSTER_ID,
        brokerId: SELF,
        endpoints: [{ name: 'PEER', host: 'here', port: 9291 }],
        rack: 'r1',
        directoryId: DIRECTORY_ID,
        previousBrokerEpoch: 17 as BrokerEpoch,
        flushPolicy: 'ack',
      },
      heartbeatIntervalMs: HEARTBEAT_MS,
      sessionTimeoutMs: SESSION_MS,
      requestTimeoutMs: REQUEST_MS,
      retryBackoffMs: 20,
      wantsFence: () => wishes.fence,
      onRetry: (cause, doing) => told.push(`${doing} ${cause.error}`),
      onFenced: (cause) => fenced.push(cause.error),
      onFatal: (cause) => fatal.push(cause),
    });
  return { clock, controller, broker, told, fenced, fatal, wishes };
}

/** A broker that has registered, started and, if so asked, become unfenced. */
async function running(upTo: 'started' | 'unfenced' = 'unfenced') {
  const all = world();
  const broker = all.broker();
  const epoch = await all.clock.settle(broker.register());
  broker.start();
  if (upTo === 'unfenced') {
    broker.ready();
    await all.clock.settle(broker.unfenced());
    await all.clock.advance(10);
  }
  return { ...all, broker, epoch };
}

async function rejection(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof TidemarkError) return thrown.error;
    throw thrown;
  }
  return 'it was fulfilled';
}

describe('a broker registers', () => {
  it('with what it is, and knows its epoch once its own image shows it', async () => {
    const { clock, controller, broker } = world();
    controller.imageAfterMs = 700;
    const lifecycle = broker();
    expect(lifecycle.isIsolated).to.equal(true);
    const epoch = await clock.settle(lifecycle.register());
    expect(controller.image.broker(SELF)?.epoch).to.equal(epoch);
    expect(clock.monotonicMs()).to.equal(700);
    const [{ command }, ...more] = controller.submitted as [(typeof controller.submitted)[0]];
    expect(more).to.deep.equal([]);
    expect(command).to.deep.include({
      type: 'registerBroker',
      clusterId: CLUSTER_ID,
      brokerId: SELF,
      endpoints: [{ name: 'PEER', host: 'here', port: 9291 }],
      rack: 'r1',
      directoryId: DIRECTORY_ID,
      previousBrokerEpoch: 17,
      flushPolicy: 'ack',
      incarnationId: controller.image.broker(SELF)!.incarnationId,
    });
    expect([lifecycle.lastContactMs, lifecycle.isIsolated]).to.deep.equal([0, false]);
    expect([controller.listenerCount, clock.pending]).to.deep.equal([0, 0]);
  });

  it('as often as it takes, as the same incarnation, with pauses that double up to a second', async () => {
    const { clock, controller, broker, told } = world();
    let left = 10;
    controller.answerAfterMs = 0;
    controller.register = (command) => (left-- > 0 ? failure('NOT_CONTROLLER') : controller.accept(command));
    await clock.settle(broker().register());
    const { submitted } = controller;
    expect(submitted.length).to.equal(11);
    expect(new Set(submitted.map(({ command }) => JSON.stringify(command))).size).to.equal(1);
    const pauses = submitted.slice(1).map(({ atMs }, index) => atMs - submitted[index]!.atMs);
    for (const [index, pauseMs] of pauses.entries()) {
      const expectedMs = Math.min(1000, 20 * 2 ** index);
      expect(pauseMs, `pause ${index}`).to.be.within(expectedMs * 0.8, expectedMs * 1.2);
    }
    expect(pauses[9]).to.not.equal(pauses[8]);
    expect(told).to.deep.equal(['register NOT_CONTROLLER']);
  });

  it('and needs no answer when its image shows the registration', async () => {
    const { clock, controller, broker } = world();
    controller.register = (command) => {
      controller.accept(command);
      return 'lost';
    };
    const epoch = await clock.settle(broker().register());
    expect([epoch, clock.monotonicMs()]).to.deep.equal([1, 5]);
    await clock.runUntilIdle();
    expect(controller.submitted.length).to.equal(1);
  });

  it('while pausing, too: the pause ends when the image shows it', async () => {
    const { clock, controller, broker } = world();
    controller.imageAfterMs = 7;
    controller.register = (command) => {
      controller.accept(command);
      return failure('NETWORK_EXCEPTION');
    };
    await clock.settle(broker().register());
    expect([clock.monotonicMs(), clock.pending]).to.deep.equal([7, 0]);
  });

  it('once the session of its earlier incarnation is over, and says why it waits (rule 9)', async () => {
    const { clock, controller, broker, told } = world();
    controller.takeOver();
    controller.register = (command) =>
      clock.monotonicMs() < 17_000 ? failure('DUPLICATE_BROKER_REGISTRATION') : controller.accept(command);
    await clock.settle(broker().register());
    expect(clock.monotonicMs()).to.be.within(17_000, 18_300);
    expect(told).to.deep.equal(Array(2).fill('register DUPLICATE_BROKER_REGISTRATION'));
  });

  it('however often the controller changes meanwhile, which begins its earlier session anew', async () => {
    const { clock, controller, broker } = world();
    for (const atMs of [8_000, 16_000, 24_000]) clock.after(atMs, () => (controller.term += 1));
    controller.register = (command) =>
      clock.monotonicMs() < 33_000 ? failure('DUPLICATE_BROKER_REGISTRATION') : controller.accept(command);
    await clock.settle(broker().register());
    expect(clock.monotonicMs()).to.be.within(33_000, 34_300);
  });

  it('not when another process with its id goes on living', async () => {
    const { clock, controller, broker } = world();
    controller.register = () => failure('DUPLICATE_BROKER_REGISTRATION');
    const outcome = await clock.settle(rejection(broker().register()));
    expect(outcome).to.equal('DUPLICATE_BROKER_REGISTRATION');
    expect(clock.monotonicMs()).to.be.within(2 * SESSION_MS, 2 * SESSION_MS + 1500);
    expect(controller.listenerCount).to.equal(0);
  });

  for (const error of ['INCONSISTENT_CLUSTER_ID', 'UNSUPPORTED_VERSION', 'INVALID_REQUEST'] as const) {
    it(`not when it is refused for good: ${error}`, async () => {
      const { clock, controller, broker, told } = world();
      controller.register = () => failure(error);
      expect(await clock.settle(rejection(broker().register()))).to.equal(error);
      expect([controller.submitted.length, told, clock.pending]).to.deep.equal([1, [], 0]);
    });
  }

  it('when the cluster gets its id only now', async () => {
    const { clock, controller, broker } = world();
    const named = controller.image;
    controller.show(MetadataImage.empty());
    clock.after(300, () => controller.show(named));
    controller.register = (command) =>
      controller.image === named ? controller.accept(command) : failure('INCONSISTENT_CLUSTER_ID');
    expect(await clock.settle(broker().register())).to.equal(1);
  });

  it('not when another process overtakes it before it has seen its own registration', async () => {
    const { clock, controller, broker } = world();
    controller.register = (command) => {
      controller.imageAfterMs = 1e9;
      const answer = controller.accept(command);
      controller.imageAfterMs = 50;
      controller.takeOver();
      return answer;
    };
    const outcome = await clock.settle(rejection(broker().register()));
    expect(outcome).to.equal('STALE_BROKER_EPOCH');
  });

  for (const stage of ['asking', 'pausing', 'waiting for its image'] as const) {
    it(`not after it was closed while ${stage}`, async () => {
      const { clock, controller, broker } = world();
      controller.register = (command) =>
        stage === 'pausing' ? failure('NOT_CONTROLLER') : controller.accept(command);
      controller.imageAfterMs = 1e9;
      const lifecycle = broker();
      const outcome = rejection(lifecycle.register());
      await clock.advance(stage === 'asking' ? 1 : 10);
      const asked = controller.submitted.length;
      lifecycle.close();
      lifecycle.close();
      expect(await outcome).to.equal('NETWORK_EXCEPTION');
      await clock.advance(10_000);
      expect([controller.submitted.length, controller.listenerCount]).to.deep.equal([asked, 0]);
    });
  }
});

describe('a broker heartbeats', () => {
  it('at its interval, fenced until it is ready, with what it has applied', async () => {
    const { clock, controller, broker, epoch } = await running('started');
    const startedMs = clock.monotonicMs();
    await clock.advance(3 * HEARTBEAT_MS);
    const expected = [0, 1, 2, 3].map((beats) => startedMs + beats * HEARTBEAT_MS);
    expect(controller.heartbeatsMs).to.deep.equal(expected);
    expect(controller.lastHeartbeat).to.deep.include({
      brokerId: SELF,
      brokerEpoch: epoch,
      wantFence: true,
      wantShutDown: false,
      appliedOffset: controller.image.offset + 1,
    });
    let isUnfenced = false;
    const waiting = broker.unfenced().then(() => (isUnfenced = true));
    await clock.advance(10);
    expect(isUnfenced).to.equal(false);
    broker.ready();
    await clock.advance(0);
    expect(controller.lastHeartbeat.wantFence, 'told at once').to.equal(false);
    await clock.settle(waiting);
    expect(controller.image.broker(SELF)?.fenced).to.equal(false);
    await broker.unfenced();
  });

  it('again soon when it became ready while one was under way', async () => {
    const { clock, controller, broker } = await running('started');
    controller.answerAfterMs = 10;
    await clock.advance(5);
    broker.ready();
    await clock.settle(broker.unfenced());
    expect(clock.monotonicMs()).to.be.at.most(80);
    expect(controller.heartbeatsMs.length).to.equal(2);
  });

  it('again as soon as it has applied what the controller waits for', async () => {
    const { clock, controller, broker } = await running('started');
    let needed = Infinity;
    controller.heartbeat = (command) =>
      command.appliedOffset < needed
        ? { fenced: true, caughtUp: false, inControlledShutdown: false, shouldShutDown: false }
        : controller.serve(command);
    broker.ready();
    await clock.advance(500);
    needed = controller.image.offset + 2;
    const beats = controller.heartbeatsMs.length;
    controller.takeOver(OTHER);
    await clock.settle(broker.unfenced());
    expect(clock.monotonicMs()).to.be.below(600);
    expect(controller.heartbeatsMs.length).to.equal(beats + 1);
  });

  it('promptly while another broker waits to be let go, and no more often than 20 times a second', async () => {
    const { clock, controller } = await running();
    const brokerEpoch = controller.takeOver(OTHER);
    controller.commit({ type: 'brokerChange', brokerId: OTHER, brokerEpoch, fenced: false });
    await clock.advance(200);
    const beats = controller.heartbeatsMs.length;
    controller.commit({ type: 'brokerChange', brokerId: OTHER, brokerEpoch, inControlledShutdown: true });
    await clock.advance(10);
    expect(controller.heartbeatsMs.length).to.equal(beats + 1);
    expect(controller.lastHeartbeat.appliedOffset).to.equal(controller.image.offset + 1);
    for (let change = 0; change < 100; change++) {
      controller.commit({ type: 'cluster', clusterId: CLUSTER_ID });
      await clock.advance(10);
    }
    expect(controller.heartbeatsMs.length).to.be.within(beats + 15, beats + 22);
    controller.commit({ type: 'brokerChange', brokerId: OTHER, brokerEpoch, fenced: true });
    await clock.advance(100);
    const after = controller.heartbeatsMs.length;
    controller.commit({ type: 'cluster', clusterId: CLUSTER_ID });
    await clock.advance(100);
    expect(controller.heartbeatsMs.length, 'that one is gone').to.equal(after);
  });

  it('again soon when one failed, and counts contact from when the answered one was sent', async () => {
    const { clock, controller, broker, told } = await running();
    const contactMs = controller.heartbeatsMs.at(-1)!;
    expect(broker.lastContactMs).to.equal(contactMs);
    controller.heartbeat = () => 'lost';
    await clock.advance(contactMs + SESSION_MS - 1 - clock.monotonicMs());
    expect(broker.isIsolated).to.equal(false);
    await clock.advance(1);
    expect([broker.isIsolated, broker.lastContactMs]).to.deep.equal([true, contactMs]);
    expect(told).to.deep.equal(['heartbeat REQUEST_TIMED_OUT']);
    expect(controller.heartbeatsMs.length).to.be.at.least(5);
    controller.heartbeat = (command) => controller.serve(command);
    controller.answerAfterMs = 100;
    await clock.advance(4000);
    expect(broker.isIsolated).to.equal(false);
    expect(controller.heartbeatsMs).to.include(broker.lastContactMs);
  });

  it('at once when it wants to be fenced, and again when it does not any more', async () => {
    const { clock, controller, broker, wishes } = await running();
    const tell = async (fence: boolean): Promise<void> => {
      wishes.fence = fence;
      broker.wishesChanged();
      await clock.advance(20);
    };
    const atMs = clock.monotonicMs();
    await tell(true);
    expect(controller.heartbeatsMs.at(-1)).to.be.within(atMs, atMs + 10);
    expect(controller.lastHeartbeat.wantFence).to.equal(true);
    controller.commit({
      type: 'brokerChange',
      brokerId: SELF,
      brokerEpoch: controller.lastHeartbeat.brokerEpoch,
      fenced: true,
    });
    await clock.advance(SESSION_MS);
    expect(controller.image.broker(SELF)?.fenced).to.equal(true);
    await tell(false);
    expect(controller.lastHeartbeat.wantFence).to.equal(false);
    await clock.advance(20);
    expect(controller.image.broker(SELF)?.fenced).to.equal(false);
    broker.close();
  });

  it('not faster than its pauses while they fail, whatever happens to the metadata', async () => {
    const { clock, controller } = await running();
    const brokerEpoch = controller.takeOver(OTHER);
    controller.commit({ type: 'brokerChange', brokerId: OTHER, brokerEpoch, fenced: false });
    controller.commit({ type: 'brokerChange', brokerId: OTHER, brokerEpoch, inControlledShutdown: true });
    controller.heartbeat = () => failure('THROTTLING_QUOTA_EXCEEDED');
    await clock.advance(5000);
    const beats = controller.heartbeatsMs.length;
    for (let change = 0; change < 100; change++) {
      controller.commit({ type: 'cluster', clusterId: CLUSTER_ID });
      await clock.advance(50);
    }
    expect(controller.heartbeatsMs.length - beats).to.be.within(3, 8);
  });

  for (const error of ['STALE_BROKER_EPOCH', 'BROKER_ID_NOT_REGISTERED'] as const) {
    it(`no more once it hears ${error}`, async () => {
      const { clock, controller, broker, fenced } = await running('started');
      broker.ready();
      const waiting = rejection(broker.unfenced());
      controller.heartbeat = () => failure(error);
      await clock.advance(3 * HEARTBEAT_MS);
      expect(fenced).to.deep.equal([error]);
      expect(await waiting).to.equal(error);
      expect(broker.isIsolated).to.equal(true);
      expect([clock.pending, controller.listenerCount]).to.deep.equal([0, 0]);
      expect(await rejection(broker.unfenced())).to.equal('NETWORK_EXCEPTION');
      expect(await broker.shutDown(1000)).to.equal(false);
    });
  }

  it('no more once its image shows another incarnation, or none', async () => {
    const taken = await running();
    taken.controller.takeOver();
    await taken.clock.advance(10);
    const removed = await running();
    removed.controller.show(MetadataImage.empty());
    for (const { clock, fenced } of [taken, removed]) {
      expect(fenced).to.deep.equal(['STALE_BROKER_EPOCH']);
      await clock.runUntilIdle(10);
    }
  });

  it('no more after it was closed, and takes no answer', async () => {
    const { clock, controller, broker, fenced } = await running('started');
    controller.heartbeat = () => failure('STALE_BROKER_EPOCH');
    broker.ready();
    const waiting = rejection(broker.unfenced());
    await clock.advance(1);
    broker.close();
    expect(await waiting).to.equal('NETWORK_EXCEPTION');
    await clock.runUntilIdle(10);
    expect([fenced, controller.listenerCount]).to.deep.equal([[], 0]);
  });

  it('and hands a bug under it to the process', async () => {
    const { clock, controller, fatal } = await running();
    controller.submit = () => Promise.reject(new Error('a bug'));
    await clock.advance(HEARTBEAT_MS);
    expect(String(fatal)).to.equal('Error: a bug');
  });
});

describe('a broker shuts down', () => {
  it('once the controller says that it may, asking often (rule 13)', async () => {
    const { clock, controller, broker } = await running();
    const askedMs = clock.monotonicMs();
    controller.heartbeat = (command) => {
      const answer = controller.serve(command);
      const mayEnd = command.wantShutDown && clock.monotonicMs() >= askedMs + 1000;
      return { ...(answer as object), shouldShutDown: mayEnd };
    };
    const [done, again] = [broker.shutDown(30_000), broker.shutDown(1)];
    await clock.advance(0);
    expect(controller.lastHeartbeat.wantShutDown, 'told at once').to.equal(true);
    expect(await clock.settle(done)).to.equal(true);
    expect(await again).to.equal(true);
    expect(clock.monotonicMs() - askedMs).to.be.within(1000, 1300);
    expect([clock.pending, controller.listenerCount]).to.deep.equal([0, 0]);
  });

  it('without leave when the time is over, although no controller answers', async () => {
    const { clock, controller, broker } = await running();
    const askedMs = clock.monotonicMs();
    controller.heartbeat = () => 'lost';
    expect(await clock.settle(broker.shutDown(2000))).to.equal(false);
    expect(clock.monotonicMs() - askedMs).to.equal(2000);
    await clock.runUntilIdle(10);
  });

  it('without leave when nobody decides for a third of the session: the others may be stopping too', async () => {
    const { clock, controller, broker } = await running();
    const askedMs = clock.monotonicMs();
    controller.heartbeat = () => 'lost';
    expect(await clock.settle(broker.shutDown(30_000))).to.equal(false);
    expect(clock.monotonicMs() - askedMs).to.be.within(3000, 5000);
    await clock.runUntilIdle(10);
  });

  it('without leave when it is fenced meanwhile, was never started, or is closed', async () => {
    const { clock, controller, broker, fenced } = await running();
    const done = broker.shutDown(5000);
    controller.takeOver();
    expect(await clock.settle(done)).to.equal(false);
    expect(fenced.length).to.equal(1);
    expect(await world().broker().shutDown(5000)).to.equal(false);
    const other = await running();
    const closing = other.broker.shutDown(5000);
    other.broker.close();
    expect(await closing).to.equal(false);
    await clock.runUntilIdle(10);
  });
});
