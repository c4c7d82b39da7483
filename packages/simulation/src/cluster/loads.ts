// What the clients of a run do, drawn from its seed and kept with its schedule when it found something: a run can then be repeated
// although seeds have come to stand for other loads since.

import { type SimPrng } from '../sim-prng.ts';
import { type GroupLoadOptions } from './group-load.ts';
import { type RecordLoadOptions } from './record-load.ts';
import { type WorkloadOptions } from './workload.ts';

export interface Loads {
  readonly commands: WorkloadOptions;
  readonly records: RecordLoadOptions;
  readonly groups: GroupLoadOptions;
}

export function drawLoads(prng: SimPrng): Loads {
  return {
    commands: drawCommands(prng.fork('commands')),
    records: drawRecords(prng.fork('records')),
    groups: drawGroups(prng.fork('groups')),
  };
}

/**
 * Few clients and, mostly, topics of one replica: half of what happened in a run used to be folders of topics that nobody writes to
 * and followers that had nothing to fetch. One run in four has them replicated.
 */
function drawCommands(prng: SimPrng): WorkloadOptions {
  return {
    clients: 1 + prng.below(5),
    pauseMs: 5 + prng.below(40),
    timeoutMs: 300 + prng.below(700),
    topicReplicas: prng.chance(4) ? 3 : 1,
  };
}

function drawRecords(prng: SimPrng): RecordLoadOptions {
  return {
    partitions: 1 + prng.below(3),
    producersPerPartition: 1 + prng.below(2),
    weakPartitions: prng.below(2),
    pauseMs: 5 + prng.below(40),
    link: { trouble: [0, 0, 8, 30][prng.below(4)]!, timeoutMs: 200 + prng.below(600) },
    turn: { workMs: 200 + prng.below(1_000), restMs: [0, 0, 1_500, 3_000][prng.below(4)]! },
    deletePauseMs: [undefined, undefined, 100, 500][prng.below(4)],
  };
}

function drawGroups(prng: SimPrng): GroupLoadOptions {
  return {
    groups: 1 + prng.below(2),
    membersPerGroup: 2 + prng.below(2),
    partitions: 3 + prng.below(3),
    pauseMs: 10 + prng.below(40),
    link: { trouble: [0, 0, 8, 30][prng.below(4)]!, timeoutMs: 200 + prng.below(400) },
  };
}
