import { expect } from 'chai';
import type { MetadataImage } from '@tidemark/controller';
import { TidemarkError, type BrokerId, type LeaderEpoch } from '@tidemark/core';
import { METADATA_LOG_NAME } from '@tidemark/runtime';
import {
  crashModes,
  SimClock,
  SimDisk,
  SimPrng,
  crashPointOperations,
  type CrashMode,
} from '@tidemark/simulation';
import { BatchBuilder, readBatchHeader } from '@tidemark/record';
import { contents, creation, MetadataNode, registration, topicNames } from './metadata-node.ts';

const inMetadataLog = (path: string) => path.includes(METADATA_LOG_NAME) && path.endsWith('.log');

/** 'ok', or the error of the command or of its first topic. */
function outcome(answer: object): string {
  if ('error' in answer) return String(answer.error);
  if ('topics' in answer) return outcome((answer.topics as readonly object[])[0]!);
  return 'ok';
}

describe('the controller runtime', () => {
  it('answers once the command is committed and in its image', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const made = node.runtime.submit(creation('orders'));
    expect(topicNames(node.image), 'decided, but not committed').to.deep.equal([]);
    let seen: readonly string[] = [];
    const answered = made.then(() => {
      seen = topicNames(node.image);
    });
    await node.clock.settle(answered);
    expect(seen).to.deep.equal(['orders']);
    await node.close();
  });

  it('answers nothing that a power failure at that moment could take back', async () => {
    const node = await MetadataNode.start();
    await node.join();
    let survivor: SimDisk | undefined;
    const clock = new SimClock();
    const answered = node.runtime.submit(creation('orders')).then((answer) => {
      expect(outcome(answer)).to.equal('ok');
      survivor = node.disk.fork('nothing', new SimPrng(1), { clock });
    });
    await node.clock.settle(answered);
    const next = await MetadataNode.start({ disk: survivor!, clock });
    expect(contents(next.image)).to.deep.equal(contents(node.image));
    await next.close();
    await node.close();
  });

  it('lets a burst of commands share one sync, each decided on those before it', async () => {
    const node = await MetadataNode.start();
    await node.join();
    let syncs = 0;
    node.disk.observe((step, phase) => {
      if (step.operation === 'sync' && phase === 'after' && inMetadataLog(step.path)) syncs += 1;
    });
    const names = Array.from({ length: 50 }, (_, i) => `topic-${i}`);
    const answers = Promise.all(
      [...names, 'topic-7', 'topic.x', 'topic_x'].map((n) => node.runtime.submit(creation(n))),
    );
    const outcomes = (await node.clock.settle(answers)).map(outcome);
    expect(outcomes.slice(0, 50)).to.deep.equal(names.map(() => 'ok'));
    expect(outcomes.slice(50)).to.deep.equal(['TOPIC_ALREADY_EXISTS', 'ok', 'INVALID_TOPIC_EXCEPTION']);
    expect(node.image.topicCount).to.equal(51);
    expect(syncs).to.be.within(1, 3);
    await node.close();
  });

  it('tells every change to its listeners, in order, before the answer', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const seen: [MetadataImage, MetadataImage][] = [];
    const stop = node.runtime.onImage((image, previous) => seen.push([image, previous]));
    const before = node.image;
    await node.must(creation('a'));
    await node.must({ type: 'deleteTopics', topics: [{ name: 'a' }] });
    expect(seen.map(([image]) => topicNames(image))).to.deep.equal([['a'], []]);
    expect(seen[0]![1]).to.equal(before);
    expect(seen[1]![1]).to.equal(seen[0]![0]);
    stop();
    await node.must(creation('b'));
    expect(seen).to.have.length(2);
    await node.close();
  });

  it('answers a command without records at once when nothing is under way, else when that is committed', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const { pending } = node.clock;
    const idle = await node.runtime.submit({ type: 'registerCluster', clusterId: 'cluster' });
    expect(idle).to.include({ clusterId: 'cluster' });
    expect(node.clock.pending).to.equal(pending);
    const order: string[] = [];
    const made = node.runtime.submit(creation('a')).then(() => order.push('created'));
    const again = node.runtime.submit(creation('a')).then((answer) => order.push(outcome(answer)));
    await node.clock.settle(Promise.all([made, again]));
    expect(order).to.deep.equal(['created', 'TOPIC_ALREADY_EXISTS']);
    await node.close();
  });

  it('refuses commands, retriably, when too many wait or too much is on its way to the disk', async () => {
    const node = await MetadataNode.start({ maxWaitingCommands: 2, maxInFlightBytes: 200 });
    await node.join();
    const submit = (name: string) => node.runtime.submit(creation(name));
    const byCount = [
      submit('a'),
      node.runtime.submit({ type: 'registerCluster', clusterId: 'cluster' }),
      submit('c'),
    ];
    expect((await node.clock.settle(Promise.all(byCount))).map(outcome)).to.deep.equal([
      'ok',
      'ok',
      'THROTTLING_QUOTA_EXCEEDED',
    ]);
    const byBytes = [submit('d'), submit('e')];
    expect((await node.clock.settle(Promise.all(byBytes))).map(outcome)).to.deep.equal([
      'ok',
      'THROTTLING_QUOTA_EXCEEDED',
    ]);
    expect(outcome(await node.submit(creation('e')))).to.equal('ok');
    expect(topicNames(node.image)).to.deep.equal(['a', 'd', 'e']);
    await node.close();
  });

  it('answers what it has decided before it closes, and refuses what comes later', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const made = node.runtime.submit(creation('a'));
    await node.clock.settle(node.runtime.close());
    expect(outcome(await made)).to.equal('ok');
    expect(outcome(await node.submit(creation('b')))).to.equal('NOT_CONTROLLER');
    await node.clock.settle(node.folder.close());
  });

  it('ends the process when a listener has a bug, instead of going on with half the node informed', async () => {
    const node = await MetadataNode.start();
    await node.join();
    node.runtime.onImage(() => {
      throw new Error('a bug');
    });
    void node.runtime.submit(creation('a'));
    await node.clock.runUntilIdle();
    expect(node.fatal.map(String)).to.deep.equal(['Error: a bug']);
  });
});

describe('the metadata log', () => {
  it('makes the same image again after a clean stop, and after another', async () => {
    const node = await MetadataNode.start();
    await node.join();
    await node.must(creation('a', 'b.c'));
    await node.must({
      type: 'createPartitions',
      topics: [{ name: 'a', totalCount: 5, assignments: [] }],
      validateOnly: false,
    });
    const change = { name: 'log.retention.ms', value: '5' };
    await node.must({
      type: 'alterConfigs',
      resources: [{ resource: { type: 'broker', name: '' }, changes: [change] }],
      validateOnly: false,
    });
    const brokerEpoch = node.image.broker(1)!.epoch;
    await node.must({ type: 'allocateProducerIds', brokerId: 1 as BrokerId, brokerEpoch });
    await node.must({ type: 'deleteTopics', topics: [{ name: 'b.c' }] });
    const before = contents(node.image);
    await node.close();
    for (let run = 0; run < 2; run++) {
      const next = await MetadataNode.start({ disk: node.disk, clock: node.clock });
      expect(contents(next.image)).to.deep.equal(before);
      await next.close();
    }
  });

  it('goes on after a restart: a new broker epoch, new leader epochs, the next producer ids', async () => {
    const node = await MetadataNode.start();
    await node.join(1);
    await node.must(creation('a'));
    const first = node.image.broker(1)!.epoch;
    await node.must({ type: 'allocateProducerIds', brokerId: 1 as BrokerId, brokerEpoch: first });
    await node.close();
    const next = await MetadataNode.start({ disk: node.disk, clock: node.clock, seed: 2 });
    await next.join(2);
    const second = next.image.broker(1)!.epoch;
    expect(second).to.be.above(first);
    expect(next.image.topicByName('a')!.partitions[1]).to.deep.include({ leader: 1, leaderEpoch: 2 });
    const ids = await next.must({
      type: 'allocateProducerIds',
      brokerId: 1 as BrokerId,
      brokerEpoch: second,
    });
    expect(ids).to.deep.equal({ firstProducerId: 1000, length: 1000 });
    await next.close();
  });

  it('that a newer version has written is refused, with the offset', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const builder = new BatchBuilder({ capacityBytes: 100 });
    builder.append(0, null, Uint8Array.of(1, 99, 0));
    const bytes = builder.build();
    const options = { leaderEpoch: 1 as LeaderEpoch, origin: 'leader' } as const;
    const at = node.log.nextOffset;
    node.log.append(bytes, [{ at: 0, ...readBatchHeader(bytes, 0) }], options);
    await node.clock.settle(node.log.flush());
    await node.close();
    const refused = await MetadataNode.start({ disk: node.disk, clock: node.clock }).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(refused).to.be.instanceOf(TidemarkError).with.property('error', 'UNSUPPORTED_VERSION');
    expect(String(refused)).to.contain(`Offset ${at}`).and.to.contain('record type 99');
  });

  it('whose beginning is gone is refused: there is nothing to start from', async () => {
    const node = await MetadataNode.start();
    await node.join();
    await node.clock.settle(node.log.deleteRecordsBefore(node.log.nextOffset));
    await node.close();
    const refused = await MetadataNode.start({ disk: node.disk, clock: node.clock }).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(refused).to.be.instanceOf(TidemarkError).with.property('error', 'KAFKA_STORAGE_ERROR');
  });
});

describe('when the disk fails', () => {
  it('for want of room, what could not be written is refused, with all that was built on it, and the rest goes on', async () => {
    const node = await MetadataNode.start();
    await node.join();
    node.disk.inject({ operation: 'write', path: inMetadataLog, error: 'ENOSPC' });
    const answers = [creation('a'), creation('a'), creation('b')].map((command) =>
      node.runtime.submit(command),
    );
    expect((await node.clock.settle(Promise.all(answers))).map(outcome)).to.deep.equal([
      'KAFKA_STORAGE_ERROR',
      'KAFKA_STORAGE_ERROR',
      'KAFKA_STORAGE_ERROR',
    ]);
    expect(topicNames(node.image)).to.deep.equal([]);
    await node.clock.runUntilIdle();
    expect(outcome(await node.submit(creation('a'))), 'there is room again').to.equal('ok');
    const before = contents(node.image);
    await node.close();
    const next = await MetadataNode.start({ disk: node.disk, clock: node.clock });
    expect(contents(next.image)).to.deep.equal(before);
    expect(topicNames(next.image)).to.deep.equal(['a']);
    await next.close();
  });

  it('for want of room behind a write that succeeded, only what is behind is refused', async () => {
    const node = await MetadataNode.start();
    await node.join();
    const first = node.runtime.submit(creation('a'));
    let second: Promise<object> | undefined;
    const stop = node.disk.observe((step, phase) => {
      if (step.operation !== 'sync' || phase !== 'before' || !inMetadataLog(step.path)) return;
      stop();
      // 'a' is written and being synced; 'b' is written meanwhile, or rather not.
      node.disk.inject({ operation: 'write', path: inMetadataLog, error: 'ENOSPC' });
      second = node.runtime.submit(creation('b'));
    });
    expect(outcome(await node.clock.settle(first))).to.equal('ok');
    expect(outcome(await node.clock.settle(second!))).to.equal('KAFKA_STORAGE_ERROR');
    await node.clock.runUntilIdle();
    expect(outcome(await node.submit(creation('c')))).to.equal('ok');
    expect(topicNames(node.image)).to.deep.equal(['a', 'c']);
    const before = contents(node.image);
    await node.close();
    const next = await MetadataNode.start({ disk: node.disk, clock: node.clock });
    expect(contents(next.image)).to.deep.equal(before);
    await next.close();
  });

  it('at a sync, everything that waits is refused and nothing is accepted any more', async () => {
    const node = await MetadataNode.start();
    await node.join();
    node.disk.inject({ operation: 'sync', path: inMetadataLog, error: 'EIO' });
    const answers = ['a', 'b'].map((name) => node.runtime.submit(creation(name)));
    const first = (await node.clock.settle(Promise.all(answers))).map(outcome);
    expect(first).to.deep.equal(['KAFKA_STORAGE_ERROR', 'KAFKA_STORAGE_ERROR']);
    expect(outcome(await node.submit(creation('c')))).to.equal('KAFKA_STORAGE_ERROR');
    expect(topicNames(node.image)).to.deep.equal([]);
    expect(node.fatal).to.deep.equal([]);
    await node.clock.settle(node.runtime.close());
  });
});

describe('a crash at any moment', () => {
  const script = ['a', 'b', 'c', 'd'];

  /** Runs the script on a node that joins first, the last two commands together. `answered` grows with each answer. */
  async function run(disk: SimDisk, clock: SimClock, answered: string[]): Promise<void> {
    const node = await MetadataNode.start({ disk, clock });
    await node.join();
    const create = async (name: string) => {
      if (outcome(await node.runtime.submit(creation(name))) === 'ok') answered.push(name);
    };
    const work = create('a')
      .then(() => create('b'))
      .then(() => Promise.all([create('c'), create('d')]));
    await clock.settle(work);
  }

  async function steps(): Promise<number> {
    const clock = new SimClock();
    const disk = new SimDisk({ clock, prng: new SimPrng(1) });
    const answered: string[] = [];
    await run(disk, clock, answered);
    expect(answered).to.deep.equal(script);
    return disk.stepCount;
  }

  async function crashAt(step: number, mode: CrashMode): Promise<void> {
    const clock = new SimClock();
    const disk = new SimDisk({ clock, prng: new SimPrng(1) });
    const after = new SimClock();
    let survivor: SimDisk | undefined;
    let acknowledged: readonly string[] = [];
    const answered: string[] = [];
    disk.observe(({ number, operation }, phase) => {
      if (number !== step || phase !== 'after' || !crashPointOperations.has(operation)) return;
      acknowledged = [...answered];
      survivor = disk.crash(mode, new SimPrng(step), { clock: after });
    });
    const ended = await run(disk, clock, answered).then(
      () => 'whole',
      () => 'crashed',
    );
    if (survivor === undefined) {
      // The step is none that a crash could undo.
      expect(ended).to.equal('whole');
      return;
    }
    const next = await MetadataNode.start({ disk: survivor, clock: after });
    const found = topicNames(next.image);
    expect(found, `step ${step}, ${mode}`).to.deep.equal(script.slice(0, found.length));
    expect(found.length, `step ${step}, ${mode}: acknowledged`).to.be.at.least(acknowledged.length);
    for (const topic of next.image.topics()) expect(topic.partitions).to.have.length(2);
    await next.join(2);
    const missing = script.slice(found.length);
    if (missing.length > 0) await next.must(creation(...missing));
    const before = contents(next.image);
    await next.close();
    const again = await MetadataNode.start({ disk: survivor, clock: after });
    expect(contents(again.image)).to.deep.equal(before);
    await again.close();
  }

  it('leaves every acknowledged command, whole commands only, in their order, and a log that goes on', async () => {
    const count = await steps();
    expect(count).to.be.above(30);
    for (let step = 1; step <= count; step++) {
      for (const mode of crashModes) await crashAt(step, mode);
    }
  });
});

describe('registration', () => {
  it('of the same incarnation twice, before the first is committed, is one registration', async () => {
    const node = await MetadataNode.start();
    await node.must({ type: 'registerCluster', clusterId: 'cluster' });
    const both = [node.runtime.submit(registration(1)), node.runtime.submit(registration(1))];
    const [first, second] = await node.clock.settle(Promise.all(both));
    expect(first).to.deep.equal(second);
    await node.close();
  });
});
