// A follower of one partition on a simulated disk, and the log of a leader that answers it as the leader's end would.

import { expect } from 'chai';
import {
  topicIdFromBytes,
  type BrokerId,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
} from '@tidemark/core';
import { defaultLogConfig, LogFolder, type PartitionLog } from '@tidemark/log';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import { decidePosition, type WantedSubscription } from '@tidemark/replication';
import { SimClock, SimDisk } from '@tidemark/simulation';
import type { FollowerEnd } from '../src/replica/follower-end.ts';
import { FollowingReplica } from '../src/replica/following-replica.ts';
import type { ReplicaContext } from '../src/replica/replica-context.ts';
import { ReplicationQuota } from '../src/replica/replication-quota.ts';

const TOPIC_ID = topicIdFromBytes(new Uint8Array(16).fill(1));
const EPOCH = 1 as LeaderEpoch;
const codecs = {} as Codecs;
export const at = (offset: number): Offset => offset as Offset;

export class FollowingScene {
  readonly clock = new SimClock();
  readonly disk = new SimDisk();
  readonly errors: string[] = [];
  readonly quota = new ReplicationQuota();
  readonly #folders: LogFolder[] = [];
  readonly asked: WantedSubscription[] = [];
  readonly #end = {
    subscribe: (_: unknown, wanted: WantedSubscription) => this.asked.push(wanted),
    unsubscribe: () => undefined,
    acknowledged: () => undefined,
    logStartMoved: (_: unknown, logStartOffset: Offset) => this.logStarts.push(logStartOffset),
  } as unknown as FollowerEnd;
  /** What the follower has told of its own. */
  readonly logStarts: Offset[] = [];
  sent = 0;
  /** Of what was sent, what the follower is done with. */
  done = 0;

  /** A leader's log of ten records, and a follower that has none of them and has begun. */
  static async begun() {
    const scene = new FollowingScene();
    const leader = await scene.openLog('leader');
    await append(leader, 10);
    const log = await scene.openLog('follower');
    const replica = scene.follow(log);
    replica.begin();
    return { scene, leader, log, replica };
  }

  async openLog(directory: string): Promise<PartitionLog> {
    const { disk, clock } = this;
    const folder = await LogFolder.open({
      ...{ disk, clock, directory },
      onOffline: (cause) => expect.fail(String(cause)),
    });
    this.#folders.push(folder);
    return folder.openPartition('t-0', TOPIC_ID, defaultLogConfig);
  }

  follow(log: PartitionLog): FollowingReplica {
    const { clock } = this;
    const context = {
      clock,
      settings: { backoffMs: 100 },
      exchange: { followerEnd: () => this.#end },
      quotas: { follower: this.quota },
      onError: (cause: unknown) => this.errors.push(String(cause)),
    } as unknown as ReplicaContext;
    return new FollowingReplica({
      ...{ context, log, codecs, topicId: TOPIC_ID, index: 0 as PartitionIndex },
      ...{ leader: 2 as BrokerId, leaderEpoch: EPOCH, highWatermark: at(0) },
      isThrottled: () => true,
      onLogStart: () => undefined,
    });
  }

  /** What the follower asked last, answered as a leader with this log does. Answers whether the position was right. */
  async answer(replica: FollowingReplica, leader: PartitionLog): Promise<boolean> {
    const asked = this.asked.at(-1)!.position;
    const decision = decidePosition(asked, leader);
    if (decision.type === 'accepted') {
      const { logStartOffset, logEndOffset } = leader;
      const options = { maxBytes: 1_000_000, upTo: logEndOffset, atLeastOne: true };
      const read = await leader.read(asked.fetchOffset, options);
      if (!read.ok) throw new Error(read.message);
      const progress = { highWatermark: logEndOffset, logStartOffset };
      if (read.sizeBytes > 0) {
        const bytes = read.parts[0]!.slice();
        const batches = { type: 'batches', baseOffset: asked.fetchOffset, bytes, ...progress } as const;
        this.sent += 1;
        replica.received(asked, batches, () => (this.done += 1));
      } else replica.answered(asked, { type: 'progress', ...progress });
    } else replica.answered(asked, decision);
    await this.clock.advance(200);
    return decision.type === 'accepted';
  }

  async close(): Promise<void> {
    await this.clock.settle(Promise.all(this.#folders.map((folder) => folder.close())));
  }
}

export async function append(log: PartitionLog, records: number): Promise<void> {
  const builder = new BatchBuilder({ capacityBytes: 64 });
  for (let each = 0; each < records; each++) builder.append(1, null, new Uint8Array(4));
  const bytes = builder.build().slice();
  const valid = validateBatches(bytes, { maxBatchBytes: 1000, maxInflatedBytes: 1000, codecs });
  if (!valid.ok) throw new Error(valid.message);
  const appended = log.append(bytes, valid.batches, { leaderEpoch: EPOCH, origin: 'leader' });
  if (!appended.ok) throw new Error(appended.message);
  await log.flush();
}
