// Partitions and positions in them, as a command line names them.
import type { Admin, OffsetToCommit, TopicPartition } from '@tidemark/client';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { startingOffset, type OffsetSpec } from '../offset-spec.ts';

export interface PartitionEnds {
  readonly startOffset: number;
  readonly endOffset: number;
}

export const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}:${partition}`;

/** `TOPIC` or `TOPIC:PARTITION`. */
export function parseTopicSelector(text: string): {
  readonly topic: string;
  readonly partition: number | undefined;
} {
  const match = /^([a-zA-Z0-9._-]{1,249})(?::(\d{1,9}))?$/.exec(text);
  if (match === null)
    throw usageFailure(`"${text}" is neither TOPIC nor TOPIC:PARTITION`, 'e.g. orders or orders:0');
  return { topic: match[1]!, partition: match[2] === undefined ? undefined : Number(match[2]) };
}

export function noSuchPartition(topic: string, partition: number, count: number): CommandFailure {
  return new CommandFailure(`topic ${topic} has no partition ${partition}, only 0 to ${count - 1}`, {
    exitCode: exitCodes.notFound,
    hint: `see them with \`tidemark topic describe ${topic}\``,
  });
}

/** What the selectors name; without any, `otherwise`. */
export async function selectPartitions(
  admin: Admin,
  selectors: readonly string[],
  otherwise: readonly TopicPartition[],
): Promise<readonly TopicPartition[]> {
  if (selectors.length === 0) return otherwise.map(({ topic, partition }) => ({ topic, partition }));
  const chosen = new Map<string, TopicPartition>();
  for (const selector of selectors) {
    const { topic, partition } = parseTopicSelector(selector);
    const all = (await admin.describeTopic(topic)).partitions.map((each) => each.partition);
    if (partition !== undefined && !all.includes(partition)) {
      throw noSuchPartition(topic, partition, all.length);
    }
    for (const index of partition === undefined ? all : [partition]) {
      chosen.set(nameOf({ topic, partition: index }), { topic, partition: index });
    }
  }
  return [...chosen.values()];
}

/** First and end offset by `topic:partition`; what cannot be told is left out. */
export async function partitionRanges(
  admin: Admin,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, PartitionEnds>> {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  if (topics.length === 0) return new Map();
  const described = await admin.describeTopics(topics);
  const led = new Set(
    described
      .filter(({ error }) => error === undefined)
      .flatMap(({ name, partitions: all }) =>
        all
          .filter(({ leaderId }) => leaderId >= 0)
          .map(({ partition }) => nameOf({ topic: name, partition })),
      ),
  );
  const asked = partitions.filter((each) => led.has(nameOf(each)));
  if (asked.length === 0) return new Map();
  const look = (spec: 'start' | 'end') =>
    admin.listOffsets(asked.map(({ topic, partition }) => ({ topic, partition, spec })));
  const [starts, ends] = await Promise.all([look('start'), look('end')]);
  return new Map(
    asked.map((each, at) => [nameOf(each), { startOffset: starts[at]!.offset, endOffset: ends[at]!.offset }]),
  );
}

/** As `partitionRanges`; throws when one of them cannot be told. */
export async function knownRanges(
  admin: Admin,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, PartitionEnds>> {
  const ranges = await partitionRanges(admin, partitions);
  const missing = partitions.find((each) => !ranges.has(nameOf(each)));
  if (missing !== undefined) {
    throw new CommandFailure(
      `${nameOf(missing)} is gone or has no leader: where it begins and ends is not known`,
      {
        hint: `look with \`tidemark partition explain ${nameOf(missing)}\`, or leave it out with --topic`,
      },
    );
  }
  return ranges;
}

/** Where in each partition, of which `ranges` tells the ends, the position is. */
export async function positionsIn(
  admin: Admin,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  ranges: ReadonlyMap<string, PartitionEnds>,
): Promise<readonly OffsetToCommit[]> {
  const found =
    spec.kind === 'timestamp'
      ? await admin.listOffsets(
          partitions.map((each) => ({ ...each, spec: { timestampMs: spec.timestampMs } })),
        )
      : undefined;
  return partitions.map((each, at) => {
    const byTime = found?.[at]?.offset;
    const { offset } = startingOffset(spec, ranges.get(nameOf(each))!, byTime === -1 ? undefined : byTime);
    return { ...each, offset };
  });
}
