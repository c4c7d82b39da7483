// One node that is its own quorum: when it answers, what it keeps over restarts, and how it ends when its disk fails.

import type { MetadataImage } from '@tidemark/controller';
import { TidemarkError, type BrokerId, type LeaderEpoch, type Offset } from '@tidemark/core';
import { BatchBuilder, readBatchHeader } from '@tidemark/record';
import { METADATA_LOG_NAME } from '@tidemark/runtime';
import type { InjectedFault } from '@tidemark/simulation';
import { expect } from 'chai';
import { creation, outcome, QuorumGroup, TIMEOUT_MS, topicNames, type GroupOptions } from './quorum-group.ts';

const inMetadataLog = (path: string): boolean => path.includes(METADATA_LOG_NAME) && path.endsWith('.log');
const alone = (options: Partial<GroupOptions> = {}): Promise<QuorumGroup> =>
  QuorumGroup.withBroker({ voters: 1, ...options });
const submit = (group: QuorumGroup, name: string): Promise<string> =>
  group.node(1).submit(creation(name), TIMEOUT_MS).then(outcome);
/** Everything an image says, as plain data. */
const contents = (image: MetadataImage) => ({
  offset: image.offset,
  clusterId: image.clusterId,
  brokers: image.brokers(),
  topics: [...image.topics()].map((topic) => ({ ...topic, configs: [...topic.configs] })),
  allBrokers: [...image.brokerConfigs('')],
  nextProducerId: image.nextProducerId,
});
/** Until nothing that was begun is under way: far longer than any write takes. */
const rest = (group: QuorumGroup): Promise<void> => group.clock.advance(100);

describe('the active controller', () => {
  it('answers once the command is committed and in its image', async () => {
    const group = await alone();
    const made = submit(group, 'orders');
    expect(group.topics(1), 'decided, but not committed').to.deep.equal([]);
    let seen: readonly string[] = [];
    await group.clock.settle(made.then(() => (seen = group.topics(1))));
    expect(seen).to.deep.equal(['orders']);
  });

  it('lets a burst of commands share a write, each decided on those before it', async () => {
    const group = await alone();
    let syncs = 0;
    group.disk(1).observe((step, phase) => {
      if (step.operation === 'sync' && phase === 'after' && inMetadataLog(step.path)) syncs += 1;
    });
    const names = Array.from({ length: 50 }, (_, at) => `topic-${at}`);
    const answers = [...names, 'topic-7', 'topic.x', 'topic_x'].map((name) => submit(group, name));
    const outcomes = await group.clock.settle(Promise.all(answers));
    expect(outcomes.slice(0, 50)).to.deep.equal(names.map(() => 'ok'));
    expect(outcomes.slice(50)).to.deep.equal(['TOPIC_ALREADY_EXISTS', 'ok', 'INVALID_TOPIC_EXCEPTION']);
    expect(group.topics(1)).to.have.length(51);
    expect(syncs).to.be.within(1, 3);
  });

  it('answers under a load that never pauses, on a disk slower than it comes', async () => {
    const group = await alone({ syncMs: 60 });
    let answered = 0;
    for (let at = 0; at < 200; at++) {
      void submit(group, `topic-${at}`).then(() => (answered += 1));
      await group.clock.advance(5);
    }
    expect(answered, 'while it went on').to.be.greaterThan(100);
  });

  it('tells every change to its listeners, in order, before the answer', async () => {
    const group = await alone();
    const events: string[] = [];
    const seen: [MetadataImage, MetadataImage][] = [];
    const before = group.node(1).image;
    const stop = group.node(1).onImage((image, previous) => {
      seen.push([image, previous]);
      events.push(`image ${topicNames(image).join()}`);
    });
    const a = submit(group, 'a').then(() => events.push('answered a'));
    const b = submit(group, 'b').then(() => events.push('answered b'));
    await group.clock.settle(Promise.all([a, b]));
    expect(events).to.have.members(['image a', 'image a,b', 'answered a', 'answered b']);
    expect(events.indexOf('image a')).to.be.lessThan(events.indexOf('answered a'));
    expect(events.indexOf('image a,b')).to.be.lessThan(events.indexOf('answered b'));
    expect(seen[0]![1]).to.equal(before);
    expect(seen[1]![1]).to.equal(seen[0]![0]);
    stop();
    await group.createTopic(1, 'c');
    expect(seen).to.have.length(2);
  });

  it('answers a command without records at once when nothing is under way, else when that is committed', async () => {
    const group = await alone();
    await rest(group);
    const atMs = group.clock.monotonicMs();
    const idle = await group.clock.settle(
      group.node(1).submit({ type: 'registerCluster', clusterId: 'cluster' }, TIMEOUT_MS),
    );
    expect(idle).to.include({ clusterId: 'cluster' });
    expect(group.clock.monotonicMs(), 'no disk is waited for').to.equal(atMs);
    const order: string[] = [];
    const made = submit(group, 'a').then(() => order.push('created'));
    const again = submit(group, 'a').then((answer) => order.push(answer));
    await group.clock.settle(Promise.all([made, again]));
    expect(order).to.deep.equal(['created', 'TOPIC_ALREADY_EXISTS']);
  });

  it('refuses commands, retriably, when too many wait or too much is on its way', async () => {
    const group = await alone({ maxWaitingCommands: 3, maxUncommittedBytes: 600 });
    const byCount = ['a', 'b', 'c', 'd'].map((name) => submit(group, name));
    const outcomes = await group.clock.settle(Promise.all(byCount));
    expect(outcomes.slice(0, 2)).to.deep.equal(['ok', 'ok']);
    expect(outcomes[3]).to.equal('THROTTLING_QUOTA_EXCEEDED');
    await rest(group);
    const byBytes = [submit(group, `${'e'.repeat(240)}-1`), submit(group, `${'e'.repeat(240)}-2`)];
    expect(await group.clock.settle(Promise.all(byBytes))).to.deep.equal(['ok', 'THROTTLING_QUOTA_EXCEEDED']);
    expect(outcome(await group.createTopic(1, 'later'))).to.equal('ok');
    expect(group.topics(1)).to.include('later');
    expect(group.topics(1)).to.not.include('d');
  });

  it('hears brokers out however many commands wait: else a flood of them would have all brokers fenced', async () => {
    const group = await alone({ maxWaitingCommands: 2 });
    const brokerEpoch = group.node(1).image.broker(1)!.epoch;
    const flood = ['a', 'b', 'c'].map((name) => submit(group, name));
    const wants = { wantFence: false, wantShutDown: false, appliedOffset: 0 as Offset };
    const heartbeat = { type: 'heartbeat', brokerId: 1 as BrokerId, brokerEpoch, ...wants } as const;
    const heard = group.node(1).submit(heartbeat, TIMEOUT_MS);
    const fenced = group
      .node(1)
      .submit({ type: 'fenceBroker', brokerId: 1 as BrokerId, brokerEpoch }, TIMEOUT_MS);
    expect(await group.clock.settle(heard)).to.include({ fenced: false });
    expect(await group.clock.settle(fenced)).to.include({ fenced: true });
    expect((await Promise.all(flood)).at(-1)).to.equal('THROTTLING_QUOTA_EXCEEDED');
  });

  it('takes the same incarnation twice, before the first is committed, for one registration', async () => {
    const group = await alone();
    const command = {
      type: 'registerBroker',
      clusterId: 'cluster',
      brokerId: 9 as BrokerId,
      incarnationId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      endpoints: [],
      rack: '',
      directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      previousBrokerEpoch: -1,
      flushPolicy: 'ack',
    } as const;
    const both = [group.node(1).submit(command, TIMEOUT_MS), group.node(1).submit(command, TIMEOUT_MS)];
    const [first, second] = await group.clock.settle(Promise.all(both));
    expect(first).to.have.property('brokerEpoch');
    expect(first).to.deep.equal(second);
  });

  it('answers what it has decided before it closes, refuses what comes later, and leaves no timer behind', async () => {
    const group = await alone();
    const made = submit(group, 'a');
    const node = group.node(1);
    const closed = node.close();
    expect(outcome(await group.clock.settle(node.submit(creation('b'), TIMEOUT_MS)))).to.equal(
      'NOT_CONTROLLER',
    );
    await group.clock.settle(closed);
    expect(await made).to.equal('ok');
    expect(node.isActive).to.equal(false);
    expect(group.activity.at(-1)).to.equal('1 is active no longer');
    expect(outcome(await node.submit(creation('c'), TIMEOUT_MS))).to.equal('NOT_CONTROLLER');
    await group.clock.settle(group.stop(1));
    await rest(group);
    expect(group.clock.pending).to.equal(0);
    expect(group.fatal).to.deep.equal([]);
  });

  it('ends the process when a listener has a bug, instead of going on with half the node informed', async () => {
    const group = await alone();
    group.node(1).onImage(() => {
      throw new Error('a bug');
    });
    const answers = [submit(group, 'a'), submit(group, 'b')];
    const atMs = group.clock.monotonicMs();
    const settled = await group.clock.settle(Promise.all(answers));
    expect(group.clock.monotonicMs() - atMs, 'at once').to.be.lessThan(1_000);
    expect(group.fatal.map(String)).to.deep.equal(['Error: a bug']);
    expect(settled).to.deep.equal(['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT']);
    const read = await group.clock.settle(group.node(1).readBarrier(TIMEOUT_MS));
    expect(read.ok).to.equal(false);
    expect(group.node(1).isActive).to.equal(false);
    await group.clock.settle(group.node(1).close());
  });
});

describe('the metadata of one node', () => {
  it('make the same image again after a stop, and after a process that was killed', async () => {
    const group = await alone();
    const brokerEpoch = group.node(1).image.broker(1)!.epoch;
    await group.createTopic(1, 'a');
    await group.createTopic(1, 'b.c');
    const change = { name: 'log.retention.ms', value: '5' };
    await group.must(1, {
      type: 'alterConfigs',
      resources: [{ resource: { type: 'broker', name: '' }, changes: [change] }],
      validateOnly: false,
    });
    await group.must(1, { type: 'allocateProducerIds', brokerId: 1 as BrokerId, brokerEpoch });
    await group.must(1, { type: 'deleteTopics', topics: [{ name: 'b.c' }] });
    for (const how of ['stop', 'kill', 'stop'] as const) {
      const before = contents(group.node(1).image);
      const { logEndOffset } = group.node(1).quorum;
      if (how === 'stop') await group.clock.settle(group.stop(1));
      else group.kill(1);
      await group.clock.settle(group.start(1));
      await group.until(() => group.node(1).isActive);
      expect(group.node(1).appliedOffset).to.be.greaterThan(logEndOffset - 1);
      expect(contents(group.node(1).image)).to.deep.equal(before);
    }
  });

  it('go on after a restart: a new term, a new broker epoch, the next producer ids', async () => {
    const group = await alone();
    await group.createTopic(1, 'a');
    const { term } = group.node(1).quorum;
    const first = group.node(1).image.broker(1)!.epoch;
    const allocate = async (brokerEpoch: typeof first) =>
      group.must(1, { type: 'allocateProducerIds', brokerId: 1 as BrokerId, brokerEpoch });
    const { firstProducerId, length } = await allocate(first);
    await group.clock.settle(group.stop(1));
    await group.clock.settle(group.start(1));
    await group.until(() => group.node(1).isActive);
    await group.clock.advance(10_000);
    await group.register(1, 2);
    expect(group.node(1).quorum.term).to.be.greaterThan(term);
    const second = group.node(1).image.broker(1)!.epoch;
    expect(second).to.be.greaterThan(first);
    expect((await allocate(second)).firstProducerId).to.equal(firstProducerId + length);
  });

  it('that a newer version has written end the process, with the offset', async () => {
    const group = await alone();
    const at = group.log(1).nextOffset;
    const term = group.node(1).quorum.term as number as LeaderEpoch;
    await group.clock.settle(group.stop(1));
    const start = group.start(1);
    await group.clock.settle(start);
    // Nothing is committed before the disk has taken it; the record is behind what the log held.
    await group.clock.settle(group.stop(1));
    group.fatal.length = 0;
    const end = await endWith(group, Uint8Array.of(1, 99, 0), term);
    expect(end).to.be.at.least(at);
    await group.clock.settle(group.start(1));
    await rest(group);
    await group.clock.advance(3_000);
    expect(group.fatal).to.have.length(1);
    expect(group.fatal[0]).to.be.instanceOf(TidemarkError).with.property('error', 'UNSUPPORTED_VERSION');
    expect(String(group.fatal[0])).to.contain(`Offset ${end}`).and.to.contain('record type 99');
  });

  it('whose log begins above the image are refused: what lies between is lost', async () => {
    const group = await alone();
    await group.createTopic(1, 'a');
    // Nothing of the image is saved durably yet, and the beginning of the log goes.
    await group.clock.settle(group.log(1).deleteRecordsBefore(group.log(1).nextOffset));
    group.crash(1, 'nothing');
    const refused = await group.clock.settle(group.start(1)).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(refused).to.be.instanceOf(TidemarkError).with.property('error', 'KAFKA_STORAGE_ERROR');
    expect(String(refused)).to.contain('what lies between is lost');
  });

  it('of another cluster are refused', async () => {
    const group = await alone();
    await group.clock.settle(group.stop(1));
    const refused = await group.clock.settle(group.start(1, { clusterId: 'other' })).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(refused).to.be.instanceOf(TidemarkError).with.property('error', 'INCONSISTENT_CLUSTER_ID');
  });
});

/** Puts one record at the end of the stopped node's log. Answers its offset. */
async function endWith(group: QuorumGroup, value: Uint8Array, leaderEpoch: LeaderEpoch): Promise<Offset> {
  await group.clock.settle(group.start(1));
  const builder = new BatchBuilder({ capacityBytes: 100 });
  builder.append(0, null, value);
  const bytes = builder.build({ leaderEpoch });
  await group.until(() => group.node(1).isActive);
  await rest(group);
  const log = group.log(1);
  const at = log.nextOffset;
  const epoch = group.node(1).quorum.term as number as LeaderEpoch;
  const appended = log.append(bytes, [{ at: 0, ...readBatchHeader(bytes, 0) }], {
    leaderEpoch: epoch,
    origin: 'leader',
  });
  if (!appended.ok) throw TidemarkError.from(appended);
  await group.clock.settle(log.flush());
  group.kill(1);
  return at;
}

describe('when the disk fails', () => {
  const faults: readonly (readonly [string, InjectedFault, 'log' | 'store'])[] = [
    ['the log has no room', { operation: 'write', path: inMetadataLog, error: 'ENOSPC' }, 'log'],
    ['a write of the log fails', { operation: 'write', path: inMetadataLog, error: 'EIO' }, 'log'],
    ['a sync of the log fails', { operation: 'sync', path: inMetadataLog, error: 'EIO' }, 'log'],
    ['the store has no room', { operation: 'write', error: 'ENOSPC' }, 'store'],
  ];
  for (const [what, fault, where] of faults) {
    it(`because ${what}, the process ends, what waits is settled, and nothing that was answered is lost`, async () => {
      const group = await alone();
      await group.createTopic(1, 'before');
      await rest(group);
      if (where === 'log') group.disk(1).inject(fault);
      else group.store(1).inject(fault);
      const atMs = group.clock.monotonicMs();
      const answers = ['a', 'a', 'b'].map((name) => submit(group, name));
      const read = group.node(1).readBarrier(TIMEOUT_MS);
      const [first, second, third] = await group.clock.settle(Promise.all(answers));
      await group.clock.settle(read);
      expect(group.clock.monotonicMs() - atMs, 'at once').to.be.lessThan(1_000);
      await group.clock.advance(1_000);
      expect(group.fatal, 'it is told').to.have.length.within(1, 2);
      const acknowledged = where === 'store' ? ['a', 'b', 'before'] : ['before'];
      if (where === 'log') {
        expect([first, third]).to.deep.equal(['REQUEST_TIMED_OUT', 'REQUEST_TIMED_OUT']);
        // Nothing was done, and nothing is known of what it rests on.
        expect(second).to.equal('NOT_CONTROLLER');
      }
      expect(await group.clock.settle(submit(group, 'c')), 'nothing more is decided').to.not.equal('ok');
      await group.clock.settle(group.node(1).close());
      group.crash(1, 'nothing');
      group.fatal.length = 0;
      await group.clock.settle(group.start(1));
      await group.until(() => group.node(1).isActive);
      expect(group.topics(1)).to.include.members(acknowledged).and.to.not.include('c');
      expect(outcome(await group.createTopic(1, 'd'))).to.equal('ok');
      expect(group.fatal).to.deep.equal([]);
    });
  }

  it('by a promise that cannot be kept on disk, the node never votes and the process ends', async () => {
    const group = await QuorumGroup.withBroker({ voters: 3 });
    const [follower] = await group.followers();
    const leader = (await group.leader()).self.nodeId;
    group.store(follower!).inject({ operation: 'sync', error: 'EIO' });
    await group.clock.settle(group.stop(leader));
    await group.clock.advance(10_000);
    expect(group.fatal).to.have.length(1);
    // It neither leads nor helps the other one to.
    expect(group.running.map(({ isActive }) => isActive)).to.deep.equal([false, false]);
  });
});
