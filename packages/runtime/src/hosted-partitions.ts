// Follows the metadata image: opens the logs of the partitions placed on this node, reconfigures them, deletes those whose topic
// is gone or which have been moved away, and finds the partition a request means. Work on one folder is done one step after another, so that a topic deleted
// and created again under its name never meets its former self.

import {
  type BrokerId,
  failure,
  type Failure,
  isFailure,
  type PartitionIndex,
  TidemarkError,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type { MetadataImage, PartitionImage, TopicImage } from '@tidemark/controller';
import { saysDiskFull, type LogFolder } from '@tidemark/log';
import type { Codecs } from '@tidemark/record';
import { Partition } from './partition.ts';
import type { LeadingReplica } from './replica/leading-replica.ts';
import type { ReplicaContext } from './replica/replica-context.ts';
import type { PartitionAddress } from './requests.ts';
import type { TopicSettings } from './topic-settings.ts';

/** A log that could not be opened. */
export interface Unopened {
  readonly topic: TopicName;
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  readonly failure: Failure;
}

/** A log that is being opened; it takes the place of the partition until then. */
class Opening {
  done: Promise<void> = Promise.resolve();
}

interface HostedTopic {
  readonly name: TopicName;
  readonly id: TopicId;
  settings: TopicSettings;
  readonly partitions: Map<number, Partition | Failure | Opening>;
}

export interface HostedPartitionsOptions {
  readonly context: ReplicaContext;
  readonly codecs: Codecs;
  readonly folder: LogFolder;
  readonly image: MetadataImage;
  /** The settings of a topic under an image. */
  readonly settings: (image: MetadataImage, topic: TopicName) => TopicSettings;
  /** A log that could not be opened, reconfigured or deleted. */
  readonly onError: (cause: unknown, partition: string) => void;
}

const OPENING = failure('LEADER_NOT_AVAILABLE', 'the partition is being opened on this broker: try again');

const folderName = (topic: TopicName, partition: number): string => `${topic}-${partition}`;

export class HostedPartitions {
  readonly #options: HostedPartitionsOptions;
  readonly #topics = new Map<TopicId, HostedTopic>();
  readonly #steps = new Map<string, Promise<void>>();
  /** Why logs could not be opened that may be when the disk has room. */
  readonly #withoutRoom = new Set<Failure>();
  #image: MetadataImage;
  /** Whether the topics are those of `#image`. */
  #isApplied = false;
  #closed = false;

  constructor(options: HostedPartitionsOptions) {
    this.#options = options;
    this.#image = options.image;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  get #self(): BrokerId {
    return this.#options.context.self;
  }

  /** Every partition that is open. */
  *all(): IterableIterator<Partition> {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions.values()) if (partition instanceof Partition) yield partition;
    }
  }

  /** Every partition that should be open and cannot be, and why. */
  *unopened(): IterableIterator<Unopened> {
    for (const { name, id, partitions } of this.#topics.values()) {
      for (const [index, hosted] of partitions) {
        if (hosted instanceof Partition || hosted instanceof Opening) continue;
        yield { topic: name, topicId: id, partition: index as PartitionIndex, failure: hosted };
      }
    }
  }

  /** Of those, the ones that are not tried again when there is room. */
  *offline(): IterableIterator<Unopened> {
    for (const each of this.unopened()) if (!this.#withoutRoom.has(each.failure)) yield each;
  }

  /** The disk has room again. */
  openAgain(): void {
    if (this.#closed) return;
    for (const { topicId, partition, failure: why } of [...this.unopened()]) {
      const topic = this.#topics.get(topicId);
      const image = this.#partitionImage(topicId, partition);
      if (this.#withoutRoom.delete(why) && topic !== undefined && image !== undefined)
        this.#open(topic, image);
    }
    this.#withoutRoom.clear();
  }

  /** Takes over an image. What has to be opened or deleted goes on in the background; `settled` waits for it. */
  apply(image: MetadataImage): void {
    if (this.#closed) return;
    const previous = this.#image;
    this.#image = image;
    const isConfigKnown =
      this.#isApplied &&
      image.brokerConfigs('') === previous.brokerConfigs('') &&
      image.brokerConfigs(this.#self) === previous.brokerConfigs(this.#self);
    // Configs of brokers are those of all topics, too. Else only what differs is looked at: of ten thousand topics, mostly one.
    if (isConfigKnown) this.#applyTopics([...image.parts.topics.changedSince(previous.parts.topics)]);
    else this.#applyAllTopics(image);
    this.#isApplied = true;
    if (image.parts.brokers !== previous.parts.brokers) {
      for (const partition of this.all()) partition.brokersChanged();
    }
    // What other brokers asked for before this one had the metadata can be judged now.
    this.#options.context.exchange.rolesChanged();
  }

  #applyAllTopics(image: MetadataImage): void {
    for (const topic of this.#topics.values()) {
      if (image.topicById(topic.id) === undefined) this.#deleteTopic(topic);
    }
    for (const topic of image.topics()) this.#applyTopic(topic, this.#topics.get(topic.id));
  }

  /** What is gone first: a name may be there again. */
  #applyTopics(changes: readonly { readonly key: TopicId; readonly after: TopicImage | undefined }[]): void {
    for (const { key, after } of changes) {
      const hosted = this.#topics.get(key);
      if (after === undefined && hosted !== undefined) this.#deleteTopic(hosted);
    }
    for (const { key, after } of changes) {
      if (after !== undefined) this.#applyTopic(after, this.#topics.get(key));
    }
  }

  #applyTopic(topic: TopicImage, known: HostedTopic | undefined): void {
    const settings = this.#options.settings(this.#image, topic.name);
    const hosted: HostedTopic = known ?? {
      name: topic.name,
      id: topic.id,
      settings,
      partitions: new Map(),
    };
    hosted.settings = settings;
    this.#topics.set(topic.id, hosted);
    for (const partition of topic.partitions) {
      const open = hosted.partitions.get(partition.partition);
      if (!partition.replicas.includes(this.#self)) {
        if (open !== undefined) this.#removeReplica(hosted, partition);
        continue;
      }
      if (open instanceof Partition) open.update(partition, settings);
      else if (open === undefined) this.#open(hosted, partition);
    }
  }

  #open(topic: HostedTopic, image: PartitionImage): void {
    const name = folderName(topic.name, image.partition);
    const opening = new Opening();
    topic.partitions.set(image.partition, opening);
    opening.done = this.#step(name, () => this.#openLog(topic, image, opening)).catch((cause: unknown) => {
      const isRoomMissing = saysDiskFull(cause);
      const why = isRoomMissing
        ? 'the disk is full, and it is tried again when there is room'
        : `${cause instanceof TidemarkError ? cause.message : String(cause)}. Mend that and start the broker again`;
      const failed = failure('KAFKA_STORAGE_ERROR', `the log of ${name} could not be opened: ${why}`);
      this.#options.onError(cause, name);
      // Moved away meanwhile; and it may have come back, and be opened anew.
      if (topic.partitions.get(image.partition) !== opening) return;
      topic.partitions.set(image.partition, failed);
      if (isRoomMissing) this.#withoutRoom.add(failed);
    });
  }

  async #openLog(topic: HostedTopic, image: PartitionImage, opening: Opening): Promise<void> {
    // Deleted, moved away or closed while this step waited for its turn, or the log for its disk.
    const isWanted = (): boolean =>
      !this.#closed &&
      this.#topics.get(topic.id) === topic &&
      topic.partitions.get(image.partition) === opening;
    if (!isWanted()) return;
    const { folder, context, codecs } = this.#options;
    const name = folderName(topic.name, image.partition);
    // A former topic of that name was deleted while the disk was full, and its folder could not be.
    if ((folder.topicIdOf(name) ?? topic.id) !== topic.id) await folder.deletePartition(name);
    const log = await folder.openPartition(name, topic.id, topic.settings.log);
    if (!isWanted()) return;
    const { settings } = topic;
    // They may have changed while the log was opened.
    if (log.config !== settings.log) log.updateConfig(settings.log);
    const savedHighWatermark = folder.savedHighWatermark(name);
    const current = this.#partitionImage(topic.id, image.partition) ?? image;
    const partition = new Partition({
      ...{ context, codecs, topic, log, settings, savedHighWatermark },
      image: current,
    });
    topic.partitions.set(image.partition, partition);
    // Its role began before it could be found here.
    context.exchange.rolesChanged();
  }

  #partitionImage(topicId: TopicId, index: number): PartitionImage | undefined {
    return this.#image.topicById(topicId)?.partitions[index];
  }

  /** Another broker holds it now: a reassignment is complete (KIP-455). */
  #removeReplica(topic: HostedTopic, { partition: index, leader }: PartitionImage): void {
    const name = folderName(topic.name, index);
    const open = topic.partitions.get(index);
    topic.partitions.delete(index);
    const why = failure('NOT_LEADER_OR_FOLLOWER', `${name} was moved away; broker ${leader} leads it`);
    if (open instanceof Partition) open.close(why);
    this.#deleteFolder(name);
  }

  #deleteFolder(name: string): void {
    this.#step(name, () => this.#options.folder.deletePartition(name)).catch((cause: unknown) => {
      this.#options.onError(cause, name);
    });
  }

  #deleteTopic(topic: HostedTopic): void {
    this.#topics.delete(topic.id);
    const why = failure('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic.name} was deleted`);
    for (const [index, partition] of topic.partitions) {
      if (partition instanceof Partition) partition.close(why);
      this.#deleteFolder(folderName(topic.name, index));
    }
    topic.partitions.clear();
  }

  #step(name: string, work: () => Promise<void>): Promise<void> {
    const before = this.#steps.get(name);
    const step = before === undefined ? work() : before.then(work);
    const ended = step
      .catch(() => undefined)
      .then(() => {
        if (this.#steps.get(name) === ended) this.#steps.delete(name);
      });
    this.#steps.set(name, ended);
    return step;
  }

  /** Resolves when nothing is being opened or deleted. */
  async settled(): Promise<void> {
    while (this.#steps.size > 0) await Promise.all([...this.#steps.values()]);
  }

  /** Resolves when every partition of the topic that this node hosts is open, or failed to open. */
  async whenHosted(topicId: TopicId): Promise<void> {
    const opening = [...(this.#topics.get(topicId)?.partitions.values() ?? [])];
    await Promise.all(opening.flatMap((each) => (each instanceof Opening ? [each.done] : [])));
  }

  /** The topic a name, an id or both mean. */
  findTopic(name: TopicName | undefined, id: TopicId | undefined): TopicImage | Failure {
    return findTopicIn(this.#image, name, id);
  }

  find(address: PartitionAddress): Partition | Failure {
    const topic = this.findTopic(address.topic, address.topicId);
    if (isFailure(topic)) return topic;
    const hosted = this.#topics.get(topic.id)?.partitions.get(address.partition);
    if (hosted instanceof Partition) return hosted;
    if (hosted instanceof Opening) return OPENING;
    if (hosted !== undefined) return hosted;
    const image = topic.partitions[address.partition];
    if (image === undefined) {
      return failure(
        'UNKNOWN_TOPIC_OR_PARTITION',
        `topic ${topic.name} has the partitions 0 to ${topic.partitions.length - 1}, and no ${address.partition}`,
      );
    }
    return failure(
      'NOT_LEADER_OR_FOLLOWER',
      `${topic.name}-${address.partition} has no replica here; broker ${image.leader} leads it`,
    );
  }

  /** For a follower that says in which epoch it believes: the leading replica, why there is none, or that there soon may be. */
  findLeading(
    topicId: TopicId,
    index: PartitionIndex,
    leaderEpoch: number,
  ): LeadingReplica | Failure | 'early' {
    const image = this.#partitionImage(topicId, index);
    if (image === undefined || leaderEpoch > image.leaderEpoch) return 'early';
    const hosted = this.#topics.get(topicId)?.partitions.get(index);
    if (hosted instanceof Opening) return 'early';
    if (hosted instanceof Partition) return hosted.leading ?? (hosted.isToLead ? 'early' : notLeading(image));
    return hosted ?? notLeading(image);
  }

  /** Folders of partitions on disk that the image does not place here, e.g. of a topic deleted just before a crash. */
  strays(
    folders: Iterable<{ readonly name: string; readonly topicId: TopicId | undefined }>,
  ): readonly string[] {
    const placed = new Map<string, TopicId>();
    for (const topic of this.#image.topics()) {
      for (const { partition, replicas } of topic.partitions) {
        if (replicas.includes(this.#self)) placed.set(folderName(topic.name, partition), topic.id);
      }
    }
    return [...folders]
      .filter(
        ({ name, topicId }) => !placed.has(name) || (topicId !== undefined && placed.get(name) !== topicId),
      )
      .map(({ name }) => name);
  }

  /** Fails everybody who waits with `why`. The logs themselves are closed by their folder. */
  close(why: Failure): void {
    this.#closed = true;
    for (const partition of this.all()) partition.close(why);
  }
}

const notLeading = ({ leader, leaderEpoch }: PartitionImage): Failure =>
  failure('NOT_LEADER_OR_FOLLOWER', `broker ${leader} leads it in epoch ${leaderEpoch}`);

/** The topic a name, an id or both mean. */
export function findTopicIn(
  image: MetadataImage,
  name: TopicName | undefined,
  id: TopicId | undefined,
): TopicImage | Failure {
  if (id === undefined) {
    const topic = name === undefined ? undefined : image.topicByName(name);
    return topic ?? failure('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name ?? ''}: create it first`);
  }
  const topic = image.topicById(id);
  if (topic === undefined) {
    return failure(
      'UNKNOWN_TOPIC_ID',
      `no topic has the id ${id}: it was deleted, or this broker does not know it yet`,
    );
  }
  if (name !== undefined && topic.name !== name) {
    return failure('INCONSISTENT_TOPIC_ID', `the id ${id} belongs to topic ${topic.name}, not to ${name}`);
  }
  return topic;
}
