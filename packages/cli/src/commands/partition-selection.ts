// Partitions and positions in them, as a command line names them.
import type { Admin, OffsetToCommit, TopicPartition } from '@tidemark/client';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { startingOffset, type OffsetSpec } from '../offset-spec.ts';
import { partitionRanges } from './group-situation.ts';

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
      throw new CommandFailure(`topic ${topic} has no partition ${partition}, only 0 to ${all.length - 1}`, {
        exitCode: exitCodes.notFound,
        hint: `see them with \`tidemark topic describe ${topic}\``,
      });
    }
    for (const index of partition === undefined ? all : [partition]) {
      chosen.set(nameOf({ topic, partition: index }), { topic, partition: index });
    }
  }
  return [...chosen.values()];
}

export async function positionsIn(
  admin: Admin,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
): Promise<readonly OffsetToCommit[]> {
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
