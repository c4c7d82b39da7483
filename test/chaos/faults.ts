// The faults of a chaos run. Each begins, lasts, and is healed before the next; never more than one node of three is down or cut off.
// A fault that cannot be made here says so: `skipped`.
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from '@tidemark/client';
import type { Cluster, ClusterNode } from '../integration/cluster.ts';
import { fullIsr } from './in-sync.ts';
import type { PeerLinks } from './peer-links.ts';

export interface FaultContext {
  readonly cluster: Cluster;
  readonly links: PeerLinks;
  readonly admin: Admin;
  readonly topics: readonly string[];
  /** Below a bound. */
  readonly draw: (bound: number) => number;
  readonly lastsMs: number;
}

export interface Fault {
  readonly name: string;
  /** Resolves when it is healed. `told` gets whom it struck, once it has begun. */
  readonly run: (context: FaultContext, told: (what: string) => void) => Promise<void>;
}

async function leaderOfSome({ cluster, admin, topics, draw }: FaultContext): Promise<ClusterNode> {
  const [topic] = await admin.describeTopics([topics[draw(topics.length)]!]);
  const led = topic!.partitions.filter(({ leaderId }) => leaderId >= 0);
  return cluster.node(led[draw(led.length)]!.leaderId);
}

async function followerOfSome(context: FaultContext): Promise<ClusterNode> {
  const leader = await leaderOfSome(context);
  const others = context.cluster.nodes.filter((node) => node !== leader);
  return others[context.draw(others.length)]!;
}

type Pick = (context: FaultContext) => Promise<ClusterNode> | ClusterNode;
const anyNode: Pick = ({ cluster, draw }) => cluster.nodes[draw(cluster.nodes.length)]!;
const controller: Pick = ({ cluster }) => cluster.leader(20_000);

function kill(name: string, pick: Pick): Fault {
  return {
    name,
    run: async (context, told) => {
      const node = await pick(context);
      await node.server.kill();
      told(`node ${node.id}`);
      await pause(context.lastsMs);
      await node.start();
    },
  };
}

function freeze(name: string, lastsMs: number, pick: Pick): Fault {
  return {
    name,
    run: async (context, told) => {
      const node = await pick(context);
      node.server.freeze();
      told(`node ${node.id}`);
      try {
        await pause(lastsMs);
      } finally {
        node.server.resume();
      }
    },
  };
}

function network(name: string, pick: Pick, begin: (links: PeerLinks, id: number) => void): Fault {
  return {
    name,
    run: async (context, told) => {
      const node = await pick(context);
      begin(context.links, node.id);
      told(`node ${node.id}`);
      try {
        await pause(context.lastsMs);
      } finally {
        context.links.heal();
      }
    },
  };
}

const rollingRestart: Fault = {
  name: 'rolling-restart',
  run: async ({ cluster, admin, topics }, told) => {
    told('all nodes, one by one');
    for (const node of cluster.nodes) {
      const code = await node.server.stop();
      if (code !== 0) throw new Error(`node ${node.id} ended with ${code} on SIGTERM`);
      await node.start();
      await fullIsr(admin, topics, cluster.nodes.length, 60_000);
    }
  },
};

const reassign: Fault = {
  name: 'reassign',
  run: async ({ admin, topics, draw, lastsMs }, told) => {
    const topic = topics[draw(topics.length)]!;
    const { partitions } = await admin.describeTopic(topic);
    const { partition, replicas } = partitions[draw(partitions.length)]!;
    const brokerIds = [...replicas.slice(1), replicas[0]!];
    await admin.reassignPartitions([{ topic, partition, brokerIds }]);
    told(`${topic}-${partition}: ${replicas.join(',')} -> ${brokerIds.join(',')}`);
    await pause(lastsMs);
    await admin.electLeaders('preferred');
  },
};

export const faults: readonly Fault[] = [
  kill('kill-leader', leaderOfSome),
  freeze('pause-12s', 12_000, leaderOfSome),
  network('isolate', leaderOfSome, (links, id) => links.set(id, 'both', 'stalled')),
  kill('kill-controller', controller),
  network('one-way-from', anyNode, (links, id) => links.set(id, 'from', 'cut')),
  rollingRestart,
  kill('kill-follower', followerOfSome),
  reassign,
  network('one-way-to', anyNode, (links, id) => links.set(id, 'to', 'stalled')),
  freeze('pause-3s', 3_000, anyNode),
  network('slow-links', anyNode, (links, id) => links.set(id, 'both', 'open', 150)),
  kill('kill-random', anyNode),
];
