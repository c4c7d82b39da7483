// A crash at any moment of a node that is its own quorum: disk and store lose what was not synced, each in its own way, and the
// next process finds everything that was answered, whole commands only, in their order, and goes on.

import { crc32c } from '@tidemark/record';
import {
  crashModes,
  crashPointOperations,
  SimPrng,
  type CrashMode,
  type DiskStep,
  type SimDisk,
  type SimKeyValueStore,
} from '@tidemark/simulation';
import { expect } from 'chai';
import { creation, outcome, QuorumGroup, TIMEOUT_MS } from './quorum-group.ts';

const script = ['a', 'b', 'c', 'd', 'e'];
/** Small, so that a short script saves, compacts and drops old log. */
const options = { voters: 1, saveAfterMs: 1, snapshotEveryBytes: 300, keptLogBytes: 0, segmentBytes: 300 };

interface CrashState {
  readonly where: string;
  readonly mode: CrashMode;
  readonly disk: SimDisk;
  readonly store: SimKeyValueStore;
  readonly acknowledged: number;
}

/** Tells the script once, the last two commands together; every step of disk and store is a crash, in every mode. */
async function crashStates(): Promise<readonly CrashState[]> {
  const group = new QuorumGroup(options);
  const prng = new SimPrng(1);
  const states: CrashState[] = [];
  const known = new Set<string>();
  let acknowledged = 0;
  const crash = ({ operation, path }: DiskStep, phase: 'before' | 'after'): void => {
    if (phase === 'before' || !crashPointOperations.has(operation)) return;
    for (const mode of crashModes) {
      const [disk, store] = [group.disk(1).fork(mode, prng), group.store(1).fork(mode, prng)];
      const digest = `${acknowledged} ${digestOf(disk, store)}`;
      if (known.has(digest)) continue;
      known.add(digest);
      const where = `${mode} after ${operation} ${path}, ${acknowledged} answered`;
      states.push({ where, mode, disk, store, acknowledged });
    }
  };
  const started = group.start(1);
  group.disk(1).observe(crash);
  group.store(1).observe(crash);
  await group.clock.settle(started);
  await group.leader();
  await group.must(1, { type: 'registerCluster', clusterId: 'cluster' });
  await group.register(1);
  const create = async (name: string): Promise<void> => {
    expect(outcome(await group.node(1).submit(creation(name), TIMEOUT_MS))).to.equal('ok');
    acknowledged += 1;
  };
  for (const name of script.slice(0, 3)) await group.clock.settle(create(name));
  await group.clock.settle(Promise.all(script.slice(3).map(create)));
  await group.clock.settle(group.node(1).compact());
  expect(group.node(1).quorum.logStartOffset, 'the story drops log').to.be.greaterThan(0);
  await group.clock.settle(group.stop(1));
  expect(group.fatal).to.deep.equal([]);
  return states;
}

function digestOf(disk: SimDisk, store: SimKeyValueStore): string {
  const parts = [...disk.contents()].map(([path, bytes]) => `${path} ${bytes.length} ${crc32c(bytes)}`);
  for (const { key, value } of store.contents()) parts.push(`${key.join()} ${crc32c(value)}`);
  return parts.join('\n');
}

async function recover({ disk, store, acknowledged }: CrashState): Promise<void> {
  const group = new QuorumGroup(options);
  group.replaceDisks(1, disk, store);
  const restart = async (): Promise<void> => {
    await group.clock.settle(group.start(1));
    await group.until(() => group.node(1).isActive);
  };
  await restart();
  const found = group.topics(1);
  expect(found).to.deep.equal(script.slice(0, found.length));
  expect(found.length).to.be.at.least(acknowledged);
  await group.must(1, { type: 'registerCluster', clusterId: 'cluster' });
  // The session of the broker it was.
  await group.clock.advance(10_000);
  await group.register(1, 2);
  const all = [...script, 'f'];
  for (const name of all.slice(found.length))
    expect(outcome(await group.createTopic(1, name))).to.equal('ok');
  group.crash(1, 'nothing');
  await restart();
  expect(group.topics(1)).to.deep.equal(all);
  expect(group.fatal).to.deep.equal([]);
}

describe('a crash at any moment of a node alone', () => {
  it('leaves every answered command, whole commands only, in their order, and a log that goes on', async () => {
    const states = await crashStates();
    expect(states.length).to.be.greaterThan(100);
    const faults: string[] = [];
    for (const state of states) {
      try {
        await recover(state);
      } catch (error) {
        faults.push(`${state.where}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
      }
      if (faults.length > 3) break;
    }
    expect(faults).to.deep.equal([]);
  });
});
