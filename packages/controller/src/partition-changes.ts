// What a broker's coming and going does to partitions. Leaders are elected from the in-sync replicas only: a partition
// whose in-sync replicas are all away has no leader until one comes back (no unclean election).

import type { BrokerId } from '@tidemark/core';
import type { MetadataImage, PartitionImage } from './metadata-image.ts';
import {
  NO_LEADER,
  type LeaderId,
  type MetadataRecord,
  type PartitionChangeRecord,
} from './metadata-record.ts';

/** The first replica, in order of preference, that is in sync and eligible. */
export function electLeader(
  replicas: readonly BrokerId[],
  isr: readonly BrokerId[],
  isEligible: (id: BrokerId) => boolean,
): LeaderId {
  return replicas.find((id) => isr.includes(id) && isEligible(id)) ?? NO_LEADER;
}

/**
 * The broker is fenced: it leaves the in-sync replicas, unless it is the last of them and so the only one that surely has
 * all committed records, and what it leads goes to another.
 */
export function changesWithoutBroker(image: MetadataImage, gone: BrokerId): readonly MetadataRecord[] {
  const isEligible = (id: BrokerId) => id !== gone && image.broker(id)?.fenced === false;
  return partitionChanges(image, (partition) => {
    if (!partition.isr.includes(gone)) return undefined;
    const rest = partition.isr.filter((id) => id !== gone);
    const isr = rest.length === 0 ? undefined : rest;
    if (partition.leader !== gone) return isr === undefined ? undefined : { isr };
    return { isr, leader: electLeader(partition.replicas, isr ?? [], isEligible) };
  });
}

/** The broker is unfenced: it leads the partitions that have no leader and that it is in sync for. */
export function changesWithBroker(image: MetadataImage, back: BrokerId): readonly MetadataRecord[] {
  return partitionChanges(image, ({ leader, isr }) =>
    leader === NO_LEADER && isr.includes(back) ? { leader: back } : undefined,
  );
}

type Change = Pick<PartitionChangeRecord, 'isr' | 'leader'>;

function partitionChanges(
  image: MetadataImage,
  changeOf: (partition: PartitionImage) => Change | undefined,
): readonly MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const { id: topicId, partitions } of image.topics()) {
    for (const image of partitions) {
      const change = changeOf(image);
      if (change === undefined) continue;
      records.push({ type: 'partitionChange', topicId, partition: image.partition, ...change });
    }
  }
  return records;
}
