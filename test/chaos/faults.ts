// The faults of a chaos run. Each begins, lasts, and is healed before the next; never more than one node of three is down or cut off.
// A fault that cannot be made here says why: `skipped`.
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, PartitionOutcome } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { eventually, type Cluster, type ClusterNode } from '../integration/cluster.ts';
import { fullIsr } from './in-sync.ts';
import type { PeerLinks } from './peer-links.ts';
import type { SmallDisk } from './small-disk.ts';

export interface FaultContext {
  readonly cluster: Cluster;
  readonly links: PeerLinks;
  readonly admin: Admin;
  readonly topics: readonly string[];
  /** Below a bound. */
  readonly draw: (bound: number) => number;
  /** Of a fault that is noticed at once. */
  readonly shortMs: number;
  /** Of a fault that is noticed when a session ends: longer than that, and than what has to be done then. */
  readonly longMs: number;
  /** The disk of one node, or why there is none that can be filled. */
  readonly disk: { readonly node: ClusterNode; readonly small: SmallDisk } | string;
}

export interface Fault {
  readonly name: string;
  /**
   * `progress`: one broker is down or cut off, the others must go on meanwhile. `none`: it is over before that is noticed, or no
   * broker is gone.
   */
  readonly promise: 'progress' | 'none';
  /** It takes no replica out of sync. */
  readonly isGentle?: true;
  readonly skipped?: (context: FaultContext) => string | undefined;
  /** Resolves when it is healed. `told` gets whom it struck, once it has begun. */
  readonly run: (context: FaultContext, told: (what: string) => void) => Promise<void>;
}

async function leaderOfSome({ cluster, admin, topics, draw }: FaultContext): Promise<ClusterNode> {
  const described = await admin.describeTopic(topics[draw(topics.length)]!);
  const led = described.partitions.filter(({ leaderId }) => leaderId >= 0);
  return led.length === 0
    ? cluster.nodes[draw(cluster.nodes.length)]!
    : cluster.node(led[draw(led.length)]!.leaderId);
}

async function followerOfSome(context: FaultContext): Promise<ClusterNode> {
  const leader = await leaderOfSome(context);
  const others = context.cluster.nodes.filter((node) => node !== leader);
  return others[context.draw(others.length)]!;
}

type Pick = (context: FaultContext) => Promise<ClusterNode> | ClusterNode;
const anyNode: Pick = ({ cluster, draw }) => cluster.nodes[draw(cluster.nodes.length)]!;
const controller: Pick = ({ cluster }) => cluster.leader(20_000);

/** Its port refuses, through the links as well, until it is back. */
async function killed(
  { links }: FaultContext,
  node: ClusterNode,
  meanwhile: () => Promise<void>,
): Promise<void> {
  await Promise.all([node.server.kill(), links.refuse(node.id)]);
  await meanwhile();
  await links.accept(node.id);
  await node.start();
}

function kill(name: string, pick: Pick): Fault {
  return {
    name,
    promise: 'progress',
    run: async (context, told) => {
      const node = await pick(context);
      told(`node ${node.id}`);
      await killed(context, node, () => pause(context.shortMs));
    },
  };
}

function freeze(
  name: string,
  promise: Fault['promise'],
  lasts: (context: FaultContext) => number,
  pick: Pick,
): Fault {
  return {
    name,
    promise,
    run: async (context, told) => {
      const node = await pick(context);
      node.server.freeze();
      told(`node ${node.id}`);
      try {
        await pause(lasts(context));
      } finally {
        node.server.resume();
      }
    },
  };
}

function network(name: string, pick: Pick, begin: (links: PeerLinks, id: number) => void): Fault {
  return {
    name,
    promise: 'progress',
    run: async (context, told) => {
      const node = await pick(context);
      begin(context.links, node.id);
      told(`node ${node.id}`);
      try {
        await pause(context.longMs);
      } finally {
        context.links.heal();
      }
    },
  };
}

const rollingRestart: Fault = {
  name: 'rolling-restart',
  promise: 'none',
  run: async ({ cluster, admin, topics }, told) => {
    for (const node of cluster.nodes) {
      told(`node ${node.id}`);
      const code = await node.server.stop();
      if (code !== 0) throw new Error(`node ${node.id} ended with ${code} on SIGTERM`);
      await node.start();
      await fullIsr(admin, topics, cluster.nodes.length, 60_000);
    }
  },
};

const INSIST_MS = 60_000;

/** Asks again when the cluster was busy with something else, such as the fault before this one. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + INSIST_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = error instanceof TidemarkError && error.retriable;
      if (!isPassing || performance.now() > deadline) throw error;
      await pause(250);
    }
  }
}

function checked(outcomes: readonly PartitionOutcome[]): void {
  for (const { error } of outcomes) if (error !== undefined) throw error;
}

async function somePartition({ admin, topics, draw }: FaultContext): Promise<{
  readonly topic: string;
  readonly partition: number;
  readonly replicas: readonly number[];
}> {
  const topic = topics[draw(topics.length)]!;
  const { partitions } = await admin.describeTopic(topic);
  return { topic, ...partitions[draw(partitions.length)]! };
}

const electLeaders: Fault = {
  name: 'elect-leaders',
  promise: 'none',
  isGentle: true,
  run: async (context, told) => {
    const { admin, shortMs } = context;
    const { topic, partition, replicas } = await somePartition(context);
    const brokerIds = [...replicas.slice(1), replicas[0]!];
    await insist(async () => checked(await admin.reassignPartitions([{ topic, partition, brokerIds }])));
    // That it leads already, or is not in sync at the moment, is no error of ours.
    await insist(() => admin.electLeaders('preferred'));
    told(`${topic}-${partition}: ${replicas.join(',')} -> ${brokerIds.join(',')}`);
    await pause(shortMs / 2);
  },
};

/** One replica is given up and its data deleted; then it is made anew and copies everything. */
const reassign: Fault = {
  name: 'reassign',
  promise: 'none',
  run: async (context, told) => {
    const { admin, cluster, topics } = context;
    const { topic, partition, replicas } = await somePartition(context);
    const gone = replicas[context.draw(replicas.length)]!;
    const fewer = replicas.filter((id) => id !== gone);
    told(
      `${topic}-${partition}: ${replicas.join(',')} -> ${fewer.join(',')} -> ${[gone, ...fewer].join(',')}`,
    );
    await moved(admin, topic, partition, fewer);
    await moved(admin, topic, partition, [gone, ...fewer]);
    await fullIsr(admin, topics, cluster.nodes.length, 60_000);
  },
};

async function moved(
  admin: Admin,
  topic: string,
  partition: number,
  brokerIds: readonly number[],
): Promise<void> {
  await insist(async () => checked(await admin.reassignPartitions([{ topic, partition, brokerIds }])));
  await eventually(`${topic}-${partition} at ${brokerIds.join(',')}`, 60_000, async () => {
    const { partitions } = await admin.describeTopic(topic);
    const { replicas, inSyncReplicas } = partitions.find((each) => each.partition === partition)!;
    return replicas.join() === brokerIds.join() && inSyncReplicas.length === replicas.length
      ? true
      : undefined;
  });
}

const transferController: Fault = {
  name: 'transfer-controller',
  promise: 'none',
  isGentle: true,
  run: async ({ admin, shortMs }, told) => {
    const { leaderId } = await insist(() => admin.describeQuorum());
    // An answer may be lost with the leader that owed it; then the next one is asked whether it is somebody else.
    const next = await insist(async () => {
      const known = (await admin.describeQuorum()).leaderId;
      return known === leaderId ? await admin.transferLeadership() : known;
    });
    told(`from node ${leaderId} to node ${next}`);
    await pause(shortMs / 2);
  },
};

/** A voter loses its vote, is killed without one, comes back and gets it again. */
const membership: Fault = {
  name: 'membership',
  promise: 'progress',
  run: async (context, told) => {
    const { admin, cluster, draw } = context;
    const { voters } = await admin.describeQuorum();
    const voter = voters[draw(voters.length)]!;
    const { nodeId, directoryId } = voter;
    const node = cluster.node(nodeId);
    const [host, port] = node.peerAddress.split(':');
    const votes = async (): Promise<boolean> =>
      (await admin.describeQuorum()).voters.some((each) => each.nodeId === nodeId);
    // Whoever is asked twice may have done it the first time.
    await eventually(`node ${nodeId} no voter`, 60_000, async () => {
      if (!(await votes())) return true;
      await admin.removeVoter({ nodeId, directoryId });
      return undefined;
    });
    told(`node ${nodeId} votes no more, and is killed`);
    await killed(context, node, () => pause(context.shortMs));
    await eventually(`node ${nodeId} a voter`, 60_000, async () => {
      if (await votes()) return true;
      await admin.addVoter({ nodeId, directoryId, host: host!, port: Number(port) });
      return undefined;
    });
  },
};

const diskFull: Fault = {
  name: 'disk-full',
  promise: 'none',
  skipped: ({ disk }) => (typeof disk === 'string' ? disk : undefined),
  run: async ({ disk, shortMs }, told) => {
    if (typeof disk === 'string') throw new Error(disk);
    disk.small.fill();
    told(`node ${disk.node.id}`);
    try {
      await pause(shortMs);
    } finally {
      disk.small.free();
    }
    if (disk.node.server.isRunning) return;
    told(`node ${disk.node.id} has ended itself, and is started again`);
    await disk.node.start();
  },
};

export const faults: readonly Fault[] = [
  kill('kill-leader', leaderOfSome),
  freeze('pause-long', 'progress', ({ longMs }) => longMs, leaderOfSome),
  electLeaders,
  network('isolate', leaderOfSome, (links, id) => links.set(id, 'both', 'stalled')),
  kill('kill-controller', controller),
  diskFull,
  network('one-way-from', anyNode, (links, id) => links.set(id, 'from', 'cut')),
  transferController,
  rollingRestart,
  kill('kill-follower', followerOfSome),
  reassign,
  network('one-way-to', anyNode, (links, id) => links.set(id, 'to', 'stalled')),
  freeze('pause-short', 'none', () => 3_000, anyNode),
  membership,
  network('slow-links', anyNode, (links, id) => links.set(id, 'both', 'open', 150)),
  kill('kill-random', anyNode),
];
