// What holds of every image, and of every image after another: for the simulator and for tests, which call it after each change.
// Walks only what the two images do not share.

import type { BrokerId } from '@tidemark/core';
import { changedTopics, type TopicChange } from './image-changes.ts';
import type { BrokerImage, MetadataImage, PartitionImage } from './metadata-image.ts';
import { NO_LEADER } from './metadata-record.ts';
import { isReassigning } from './replica-index.ts';

/** One sentence for each violation; empty when all is well. `previous` is an image that `image` came from by replay. */
export function imageInvariants(image: MetadataImage, previous: MetadataImage): readonly string[] {
  if (image === previous) return [];
  const changes = changedTopics(image, previous);
  return [
    ...clusterViolations(image, previous, changes),
    ...brokerViolations(image, previous),
    ...changes.flatMap((change) => topicViolations(change, image, previous)),
  ];
}

function clusterViolations(
  image: MetadataImage,
  previous: MetadataImage,
  changes: readonly TopicChange[],
): string[] {
  const grown = changes.reduce(
    (sum, { before, after }) => sum + (after?.partitions.length ?? 0) - (before?.partitions.length ?? 0),
    0,
  );
  return violations('the cluster', [
    [image.offset < previous.offset, `its offset fell from ${previous.offset} to ${image.offset}`],
    [previous.clusterId !== '' && image.clusterId !== previous.clusterId, 'its id changed'],
    [image.nextProducerId < previous.nextProducerId, 'producer ids could be given twice'],
    [
      image.partitionCount !== previous.partitionCount + grown,
      `it counts ${image.partitionCount} partitions, and has ${previous.partitionCount + grown}`,
    ],
  ]);
}

function brokerViolations(image: MetadataImage, previous: MetadataImage): string[] {
  return image.brokers().flatMap((broker) => {
    const before = previous.broker(broker.id);
    if (before === broker) return [];
    const isSame = before?.incarnationId === broker.incarnationId;
    return violations(`broker ${broker.id}`, [
      [before !== undefined && broker.epoch < before.epoch, 'its epoch fell'],
      [before !== undefined && isSame !== (broker.epoch === before.epoch), 'one epoch for two incarnations'],
      [broker.epoch > image.offset, 'its epoch is no offset of the past'],
      [isSame && before.inControlledShutdown && !broker.inControlledShutdown, 'it came back from a shutdown'],
      [
        broker.inControlledShutdown !== broker.controlledShutdownOffset >= 0,
        'its shutdown has an offset, or none, wrongly',
      ],
    ]);
  });
}

function topicViolations(
  { before, after }: TopicChange,
  image: MetadataImage,
  previous: MetadataImage,
): string[] {
  if (after === undefined) return [];
  const found = violations(`topic ${after.name}`, [
    [after.partitions.length === 0, 'it has no partitions'],
    [before !== undefined && before.name !== after.name, `it was called ${before?.name}`],
    [
      before !== undefined && before.partitions.length > after.partitions.length,
      'it has fewer partitions than before',
    ],
    [image.topicByName(after.name) !== after, 'its name leads to another topic'],
  ]);
  for (const [index, partition] of after.partitions.entries()) {
    const old = before?.partitions[index];
    if (partition === old) continue;
    const where = `${after.name}-${index}`;
    found.push(...violations(where, [[partition.partition !== index, 'it stands in the wrong place']]));
    found.push(...violations(where, partitionRules(partition, image)));
    if (old !== undefined) found.push(...violations(where, successionRules(partition, old)));
    if (old?.partitionEpoch === partition.partitionEpoch - 1) {
      found.push(...violations(where, stepRules(partition, old, image, previous)));
    }
  }
  return found;
}

type Rule = readonly [isBroken: boolean, what: string];

const isSubset = (ids: readonly BrokerId[], of: readonly BrokerId[]) => ids.every((id) => of.includes(id));
const isSet = (ids: readonly BrokerId[]) => new Set(ids).size === ids.length;

/** Of a partition by itself. */
function partitionRules(partition: PartitionImage, image: MetadataImage): readonly Rule[] {
  const { replicas, isr, elr, lastKnownElr, leader, addingReplicas, removingReplicas } = partition;
  const candidates = isr.length + elr.length + lastKnownElr.length;
  return [
    [replicas.length === 0 || !isSet(replicas), `its replicas are [${replicas.join()}]`],
    [replicas.some((id) => image.broker(id) === undefined), 'a replica is on no broker'],
    [!isSet(isr) || !isSubset(isr, replicas), `in sync is [${isr.join()}] of [${replicas.join()}]`],
    [!isSet(elr) || !isSubset(elr, replicas), `eligible is [${elr.join()}] of [${replicas.join()}]`],
    [elr.some((id) => isr.includes(id)), `[${elr.join()}] is eligible and [${isr.join()}] in sync`],
    [leader !== NO_LEADER && !isr.includes(leader), `leader ${leader} is not in sync ([${isr.join()}])`],
    [leader !== NO_LEADER && lastKnownElr.length > 0, 'it has a leader and remembers the last'],
    [lastKnownElr.length > 1 || !isSubset(lastKnownElr, replicas), `it remembers [${lastKnownElr.join()}]`],
    [candidates === 0, 'no replica may ever lead it'],
    [!isSet(addingReplicas) || !isSubset(addingReplicas, replicas), `adding [${addingReplicas.join()}]`],
    [
      !isSet(removingReplicas) || !isSubset(removingReplicas, replicas),
      `removing [${removingReplicas.join()}]`,
    ],
    [addingReplicas.some((id) => removingReplicas.includes(id)), 'it adds and removes one replica'],
    [removingReplicas.length === replicas.length, 'it removes all replicas'],
  ];
}

/** Of a partition after any number of changes. */
function successionRules(after: PartitionImage, before: PartitionImage): readonly Rule[] {
  const { leaderEpoch, partitionEpoch, leader } = after;
  const hasNewEpoch = leaderEpoch !== before.leaderEpoch;
  const hasLost = !isSubset(before.replicas, after.replicas);
  return [
    [partitionEpoch <= before.partitionEpoch, 'it changed and its partition epoch did not rise'],
    [leaderEpoch < before.leaderEpoch, 'its leader epoch fell'],
    [
      leaderEpoch - before.leaderEpoch > partitionEpoch - before.partitionEpoch,
      'its leader epoch rose more than its partition epoch',
    ],
    [!hasNewEpoch && leader !== before.leader, `two leaders, ${before.leader} and ${leader}, of one epoch`],
    [!hasNewEpoch && hasLost, 'a replica was removed under the same leader epoch'],
  ];
}

/** Of a partition after exactly one change. */
function stepRules(
  after: PartitionImage,
  before: PartitionImage,
  image: MetadataImage,
  previous: MetadataImage,
): readonly Rule[] {
  const { leader, isr } = after;
  const isUnclean = after.leaderRecoveryState === 'recovering';
  const isElected = leader !== NO_LEADER && leader !== before.leader;
  const same = (id: BrokerId): BrokerImage | undefined =>
    image.broker(id) === previous.broker(id) ? image.broker(id) : undefined;
  const isOut = (id: BrokerId) => same(id) !== undefined && !image.isActive(id);
  const joined = isr.filter((id) => !before.isr.includes(id));
  // A replica that is caught up may lead in the very step that ends the reassignment which takes the leader away.
  const hasEnded = isReassigning(before) && !isReassigning(after);
  const wasCandidate = (id: BrokerId) => hasEnded || before.isr.includes(id) || before.elr.includes(id);
  return [
    [isElected && isOut(leader), `leader ${leader} is out`],
    [isElected && !isUnclean && !wasCandidate(leader), `leader ${leader} was not eligible`],
    [isElected && isUnclean && isr.length > 1, 'after an unclean election others are in sync'],
    [joined.some(isOut), `[${joined.join()}] joined, and one of them is out`],
  ];
}

function violations(where: string, rules: readonly Rule[]): string[] {
  return rules.filter(([isBroken]) => isBroken).map(([, what]) => `${where}: ${what}`);
}
