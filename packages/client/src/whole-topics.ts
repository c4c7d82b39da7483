// Every partition of some topics for one consumer, as the cluster has them at the moment: for those who all read everything. Partitions
// that come later, with a topic or in one, are read from their start, because nothing was in them before.
//
// Contract: the positions are the consumer's. A topic that a broker does not know for a moment, because it is behind, goes on where it
// was; one that was deleted and made again under its name begins anew.
import type { ClusterMetadata, TopicInfo } from './cluster-metadata.ts';
import type { TopicPartition } from './leader-calls.ts';
import type { OffsetSpec } from './offset-lookup.ts';
import { topicPattern, topicsLike } from './topic-pattern.ts';

export interface AssignAllOptions {
  /** Where to begin in a partition. Absent, or undefined: as `auto.offset.reset` says; what comes later from its start. */
  readonly position?: ((at: TopicPartition) => OffsetSpec | undefined) | undefined;
  /** Partitions have come or gone; those of the beginning too. What it throws goes to `onError`. */
  readonly onChange?: ((change: AssignmentChange) => void) | undefined;
}

export interface AssignmentChange {
  readonly added: readonly TopicPartition[];
  readonly removed: readonly TopicPartition[];
}

export interface WholeTopicsOptions extends AssignAllOptions {
  readonly wanted: readonly string[] | RegExp;
  readonly directory: Pick<
    ClusterMetadata,
    'topics' | 'topic' | 'track' | 'keepTopics' | 'refreshed' | 'onChange' | 'watchTopics'
  >;
  readonly timeoutMs: number;
  readonly add: (at: TopicPartition, position: OffsetSpec | undefined) => void;
  /** Answers where it was. */
  readonly remove: (at: TopicPartition) => OffsetSpec | undefined;
  readonly onError: (error: unknown) => void;
}

interface ReadTopic {
  readonly id: string;
  readonly count: number;
}

/** Topics whose positions are kept for their return; of more the oldest is forgotten. */
const MAX_LEFT = 1_000;

export class WholeTopics {
  readonly #options: WholeTopicsOptions;
  readonly #pattern: RegExp | undefined;
  readonly #read = new Map<string, ReadTopic>();
  /** Where it was in topics that are not there, by their ids. */
  readonly #left = new Map<string, readonly (OffsetSpec | undefined)[]>();
  readonly #stops: (() => void)[] = [];
  #hasBegun = false;
  #isClosed = false;

  constructor(options: WholeTopicsOptions) {
    this.#options = options;
    this.#pattern = topicPattern(options.wanted);
  }

  /** Resolves when what there is now is assigned. Rejects when no broker tells what there is. */
  async begin(): Promise<void> {
    const { wanted, directory, timeoutMs } = this.#options;
    const which = this.#pattern === undefined ? 'tracked' : 'all';
    directory.track(wanted instanceof RegExp ? 'all' : wanted);
    if (!(wanted instanceof RegExp)) this.#stops.push(directory.keepTopics(() => wanted));
    await directory.refreshed(timeoutMs);
    if (this.#isClosed) return;
    this.#look();
    this.#hasBegun = true;
    this.#stops.push(
      directory.onChange(() => this.#look()),
      directory.watchTopics(which),
    );
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops.splice(0)) stop();
  }

  #look(): void {
    const there = new Map(this.#topics().map((topic) => [topic.name, topic]));
    const removed: TopicPartition[] = [];
    for (const [name, read] of [...this.#read]) {
      if (there.get(name)?.id !== read.id) removed.push(...this.#remove(name, read));
    }
    const added: TopicPartition[] = [];
    for (const topic of there.values()) added.push(...this.#add(topic));
    if (added.length + removed.length === 0) return;
    const { onChange, onError } = this.#options;
    try {
      onChange?.({ added, removed });
    } catch (error) {
      onError(error);
    }
  }

  #topics(): readonly TopicInfo[] {
    const { wanted, directory } = this.#options;
    if (this.#pattern === undefined) {
      const names = new Set(wanted as readonly string[]);
      return [...names].map((name) => directory.topic(name)).filter((topic) => topic !== undefined);
    }
    return topicsLike(this.#pattern, directory.topics);
  }

  #add({ name: topic, id, partitions }: TopicInfo): TopicPartition[] {
    const { add, position } = this.#options;
    const from = this.#read.get(topic)?.count ?? 0;
    if (partitions.length <= from) return [];
    const before = this.#left.get(id);
    this.#left.delete(id);
    this.#read.set(topic, { id, count: partitions.length });
    return partitions.slice(from).map(({ partition }) => {
      const at = { topic, partition };
      add(at, before?.[partition] ?? position?.(at) ?? (this.#hasBegun ? 'start' : undefined));
      return at;
    });
  }

  #remove(topic: string, { id, count }: ReadTopic): TopicPartition[] {
    this.#read.delete(topic);
    const places = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    this.#left.set(
      id,
      places.map((at) => this.#options.remove(at)),
    );
    if (this.#left.size > MAX_LEFT) this.#left.delete(this.#left.keys().next().value!);
    return places;
  }
}
