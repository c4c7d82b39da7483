// What differs between two images, found by walking only what they do not share: a listener that hosts partitions acts on
// the one topic that changed without looking at the other ten thousand.

import type { MetadataImage, PartitionImage, TopicImage } from './metadata-image.ts';

/** `before` undefined: created. `after` undefined: deleted. A topic deleted and created anew is two changes, by its ids. */
export interface TopicChange {
  readonly before: TopicImage | undefined;
  readonly after: TopicImage | undefined;
}

/** Deletions before creations, so that a topic that was deleted and created anew under its name is handled in that order. */
export function changedTopics(image: MetadataImage, previous: MetadataImage): readonly TopicChange[] {
  const changes = [...image.parts.topics.changedSince(previous.parts.topics)];
  return [
    ...changes.filter(({ after }) => after === undefined),
    ...changes.filter(({ after }) => after !== undefined),
  ];
}

/** The partitions of a changed topic that are new or differ. Partitions never go away but with their topic. */
export function changedPartitions({ before, after }: TopicChange): readonly PartitionImage[] {
  if (after === undefined || after.partitions === before?.partitions) return [];
  return after.partitions.filter((partition, index) => partition !== before?.partitions[index]);
}

/** Whether a broker config set at run time has changed, and with it the defaults of every topic. */
export function brokerConfigsChanged(image: MetadataImage, previous: MetadataImage): boolean {
  return (
    image.parts.allBrokersConfigs !== previous.parts.allBrokersConfigs ||
    image.parts.brokerConfigs !== previous.parts.brokerConfigs
  );
}
