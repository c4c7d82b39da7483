// `__consumer_offsets`: made when the first group asks for its coordinator, by whichever broker is asked. Contract: one request to
// the controller at a time, whoever asks; nothing is decided here that the controller does not check.

import { failure, isFailure, OFFSETS_TOPIC, type BrokerConfig, type Failure } from '@tidemark/core';
import { nodeRole } from '@tidemark/core';
import type { CreateTopicsCommand, MetadataImage, TopicImage } from '@tidemark/controller';
import type { MetadataNode } from '../metadata-node.ts';

export interface OffsetsTopicSettings {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly segmentBytes: number;
}

export function offsetsTopicSettings(config: BrokerConfig): OffsetsTopicSettings {
  const factor = config.get('offsets.topic.replication.factor');
  const isSet = config.isSet('offsets.topic.replication.factor');
  return {
    partitionCount: config.get('offsets.topic.num.partitions'),
    // A cluster of one cannot have three, and was not meant to.
    replicationFactor: !isSet && nodeRole(config).membership === 'alone' ? 1 : factor,
    segmentBytes: config.get('offsets.topic.segment.bytes'),
  };
}

export class OffsetsTopic {
  readonly #metadata: Pick<MetadataNode, 'image' | 'submit' | 'readBarrier' | 'isActive'>;
  readonly #settings: OffsetsTopicSettings;
  #creating: Promise<Failure | undefined> | undefined;

  constructor(
    metadata: Pick<MetadataNode, 'image' | 'submit' | 'readBarrier' | 'isActive'>,
    settings: OffsetsTopicSettings,
  ) {
    this.#metadata = metadata;
    this.#settings = settings;
  }

  /** The topic, which is created if there is none; or why there is none yet. */
  async ensure(timeoutMs: number): Promise<TopicImage | Failure> {
    const known = offsetsTopicIn(this.#metadata.image);
    if (known !== undefined) return known;
    this.#creating ??= this.#create(timeoutMs).finally(() => {
      this.#creating = undefined;
    });
    const failed = await this.#creating;
    if (failed !== undefined) return failed;
    return (
      offsetsTopicIn(this.#metadata.image) ??
      failure('COORDINATOR_NOT_AVAILABLE', 'the topic of the groups is being created: try again')
    );
  }

  async #create(timeoutMs: number): Promise<Failure | undefined> {
    const { partitionCount, replicationFactor, segmentBytes } = this.#settings;
    const command: CreateTopicsCommand = {
      type: 'createTopics',
      validateOnly: false,
      topics: [
        {
          name: OFFSETS_TOPIC,
          partitionCount,
          replicationFactor,
          assignments: [],
          configs: new Map([
            ['cleanup.policy', 'compact'],
            ['compression.type', 'producer'],
            ['segment.bytes', String(segmentBytes)],
          ]),
        },
      ],
    };
    const answer = await this.#metadata.submit(command, timeoutMs);
    const refused = isFailure(answer) ? answer : answer.topics[0];
    if (isFailure(refused) && refused.error !== 'TOPIC_ALREADY_EXISTS') {
      const needs =
        refused.error === 'INVALID_REPLICATION_FACTOR'
          ? `: it needs as many brokers as offsets.topic.replication.factor says (${replicationFactor}); start them, or set it lower`
          : '';
      return failure(
        'COORDINATOR_NOT_AVAILABLE',
        `${OFFSETS_TOPIC}, which groups are kept in, could not be created${needs} (${refused.error}: ${refused.message})`,
      );
    }
    // This node is to know of it before it answers.
    if (!this.#metadata.isActive) await this.#metadata.readBarrier(timeoutMs);
    return undefined;
  }
}

export function offsetsTopicIn(image: MetadataImage): TopicImage | undefined {
  return image.topicByName(OFFSETS_TOPIC);
}
