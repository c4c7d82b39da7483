// What a request would do to the controller, in partitions created and deleted (KIP-599). A caller who has used up his share is refused
// before anything is decided, item by item, with an error that says to come again.

import type { MetadataImage } from '@tidemark/controller';
import type { BrokerConfig, TopicId } from '@tidemark/core';
import type {
  CreatePartitionsRequestOutput,
  CreateTopicsRequestOutput,
  DeleteTopicsRequestOutput,
} from '@tidemark/rpc';

export type MutationCount = (request: never, image: MetadataImage, config: BrokerConfig) => number;

const sum = (numbers: readonly number[]): number =>
  numbers.reduce((total, each) => total + Math.max(0, each), 0);

const counts: Readonly<Record<string, MutationCount>> = {
  '/tidemark.v1.AdminService/CreateTopics': (
    { topics, validateOnly }: CreateTopicsRequestOutput,
    _: MetadataImage,
    config: BrokerConfig,
  ) =>
    validateOnly
      ? 0
      : sum(
          topics.map(({ partitionCount, assignments }) =>
            assignments.length > 0 ? assignments.length : partitionCount || config.get('num.partitions'),
          ),
        ),
  '/tidemark.v1.AdminService/CreatePartitions': (
    { topics, validateOnly }: CreatePartitionsRequestOutput,
    image: MetadataImage,
  ) =>
    validateOnly
      ? 0
      : sum(
          topics.map(
            ({ name, totalCount }) => totalCount - (image.topicByName(name)?.partitions.length ?? 0),
          ),
        ),
  '/tidemark.v1.AdminService/DeleteTopics': ({ topics }: DeleteTopicsRequestOutput, image: MetadataImage) =>
    sum(
      topics.map(({ name, topicId }) => {
        const topic = topicId === '' ? image.topicByName(name) : image.topicById(topicId as TopicId);
        return topic?.partitions.length ?? 0;
      }),
    ),
};

/** By `/package.Service/Method`; undefined for an RPC that mutates nothing the quota counts. */
export const mutationCount = (path: string): MutationCount | undefined => counts[path];
