// CreateTopics on its way to whoever is the active controller, carried out once. The node that passes it on draws the topics' ids, so
// that it can look whether a creation whose answer was lost took place. That it did not is certain once a controller of a later
// term is known to have been active: the command was for the one before, and what that has not got committed is gone.

import {
  drawTopicId,
  type CreateTopicsCommand,
  type CreateTopicsResponse,
  type MetadataImage,
  type TopicImage,
} from '@tidemark/controller';
import type { Failure, Prng, TopicId } from '@tidemark/core';

/** What it needs of a `MetadataNode`. */
export interface TopicCreationNode {
  readonly image: MetadataImage;
  readonly term: number;
  onImage(listener: (image: MetadataImage) => void): () => void;
  readBarrier(timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
}

export class TopicCreation {
  /** With an id for each topic. */
  readonly command: CreateTopicsCommand;
  readonly #node: TopicCreationNode;
  /** Those of its topics that were seen, however short they lived. */
  readonly #seen = new Map<TopicId, TopicImage>();
  readonly #close: () => void;
  /** The term the command was last sent in. */
  #term = -1;

  constructor(command: CreateTopicsCommand, node: TopicCreationNode, prng: Prng) {
    const topics = command.topics.map((topic) => ({ ...topic, topicId: drawTopicId(prng, node.image) }));
    this.command = { ...command, topics };
    this.#node = node;
    this.#close = node.onImage((image) => this.#look(image));
  }

  /**
   * The answer, if the topics were created; 'repeat' if none of them was and none will be; undefined if some are missing, which
   * were refused for a reason nobody can tell any more, or when it cannot be found out in time.
   */
  async find(timeoutMs: number): Promise<CreateTopicsResponse | 'repeat' | undefined> {
    if (this.command.validateOnly) return 'repeat';
    // The first one waits for a leader of a later term; that there is one was known before the second was asked for.
    const found = await this.#node.readBarrier(timeoutMs);
    if (!found.ok || this.#node.term <= this.#term) return undefined;
    const settled = await this.#node.readBarrier(timeoutMs);
    if (!settled.ok) return undefined;
    if (this.#seen.size === 0) return 'repeat';
    const created = this.command.topics.map(({ topicId }) => this.#seen.get(topicId!));
    if (created.includes(undefined)) return undefined;
    return { topics: created.map((topic) => answerOf(topic!)) };
  }

  /** It is on its way to the controller of the present term. */
  sent(): void {
    this.#term = this.#node.term;
  }

  close(): void {
    this.#close();
  }

  #look(image: MetadataImage): void {
    for (const { topicId } of this.command.topics) {
      if (topicId === undefined || this.#seen.has(topicId)) continue;
      const topic = image.topicById(topicId);
      if (topic !== undefined) this.#seen.set(topicId, topic);
    }
  }
}

function answerOf({ id, name, partitions }: TopicImage): CreateTopicsResponse['topics'][number] {
  const replicationFactor = partitions[0]!.replicas.length;
  return { ok: true, name, topicId: id, partitionCount: partitions.length, replicationFactor };
}
