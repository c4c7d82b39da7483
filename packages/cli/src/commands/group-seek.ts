// `tidemark group seek` and `clone`: where a group goes on. What would change is always shown; it is done with --execute, and only while
// the group has no members.
import type { Admin, PartitionOutcome, OffsetToCommit, TopicPartition } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { parseOffsetSpec, startingOffset, type OffsetSpec } from '../offset-spec.ts';
import { renderList } from '../output/report.ts';
import { partitionRanges } from './group-situation.ts';
import { seekColumns, type SeekRow } from './group-view.ts';
import { requireNoMembers } from './group.ts';

export interface SeekOptions {
  readonly topic?: readonly string[];
  readonly to?: string;
  readonly toGroup?: string;
  readonly dryRun?: boolean;
  readonly execute?: boolean;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}:${partition}`;

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

/** What the selectors name; without any, whatever the group has committed. */
async function selected(
  admin: Admin,
  selectors: readonly string[],
  committed: readonly TopicPartition[],
): Promise<readonly TopicPartition[]> {
  if (selectors.length === 0) return committed.map(({ topic, partition }) => ({ topic, partition }));
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

async function positionsIn(
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

export async function seekGroup(
  context: CommandContext,
  [groupId]: readonly string[],
  options: SeekOptions,
): Promise<number | undefined> {
  const { to, toGroup, topic: selectors = [] } = options;
  if ((to === undefined) === (toGroup === undefined)) {
    throw usageFailure(
      to === undefined ? 'where to is not said' : '--to and --to-group exclude each other',
      'give --to start|end|OFFSET|@TIME|+N|-N, or --to-group GROUP',
    );
  }
  if (options.dryRun === true && options.execute === true) {
    throw usageFailure('--dry-run and --execute exclude each other; keep one');
  }
  for (const selector of selectors) parseTopicSelector(selector);
  const spec = to === undefined ? undefined : parseOffsetSpec(to, Date.now());
  return withAdmin(context.cluster, async (admin) => {
    await requireNoMembers(admin, groupId!);
    const committed = await admin.groupOffsets(groupId!);
    const from = new Map(committed.map((each) => [nameOf(each), each.offset]));
    let wanted: readonly OffsetToCommit[];
    if (spec === undefined) {
      const others = await offsetsOf(admin, toGroup!);
      const names =
        selectors.length === 0
          ? undefined
          : new Set((await selected(admin, selectors, [])).map((each) => nameOf(each)));
      wanted = others.filter((each) => names?.has(nameOf(each)) ?? true);
    } else wanted = await positionsIn(admin, await selected(admin, selectors, committed), spec);
    if (wanted.length === 0) {
      throw new CommandFailure(`group ${groupId!} has committed nothing, so there is nothing to move`, {
        exitCode: exitCodes.notFound,
        hint: 'name what it reads with --topic TOPIC',
      });
    }
    return apply(context, admin, groupId!, wanted, from, options.execute === true);
  });
}

async function offsetsOf(admin: Admin, groupId: string): Promise<readonly OffsetToCommit[]> {
  const committed = await admin.groupOffsets(groupId);
  if (committed.length > 0) return committed;
  throw new CommandFailure(`group ${groupId} has committed nothing`, {
    exitCode: exitCodes.notFound,
    hint: 'see which groups there are with `tidemark group list`',
  });
}

async function apply(
  context: CommandContext,
  admin: Admin,
  groupId: string,
  wanted: readonly OffsetToCommit[],
  from: ReadonlyMap<string, number>,
  execute: boolean,
): Promise<number | undefined> {
  const inOrder = [...wanted].sort((one, other) =>
    one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1,
  );
  const rows = inOrder.map(({ topic, partition, offset }): SeekRow => {
    const fromOffset = from.get(nameOf({ topic, partition })) ?? -1;
    return { topic, partition, fromOffset, toOffset: offset, change: offset - Math.max(0, fromOffset) };
  });
  await write(context.io.stdout, renderList(context.output ?? 'table', rows, seekColumns));
  if (!execute) {
    context.io.stderr.write('nothing was changed; add --execute to do it\n');
    return undefined;
  }
  return report(context, groupId, await admin.alterGroupOffsets(groupId, wanted));
}

function report(
  context: CommandContext,
  groupId: string,
  outcomes: readonly PartitionOutcome[],
): number | undefined {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  for (const each of failed) context.io.stderr.write(`${nameOf(each)}: ${each.error!.message}\n`);
  context.io.stderr.write(
    `${outcomes.length - failed.length} of ${outcomes.length} partitions of ${groupId} were set; see \`tidemark group describe ${groupId}\`\n`,
  );
  return failed.length === 0 ? undefined : exitCodes.failure;
}

export async function cloneGroup(
  context: CommandContext,
  [source, target]: readonly string[],
): Promise<number | undefined> {
  if (source === target) throw usageFailure('a group cannot be cloned to itself');
  return withAdmin(context.cluster, async (admin) => {
    const wanted = await offsetsOf(admin, source!);
    await requireNoMembers(admin, target!);
    const there = await admin.groupOffsets(target!);
    if (there.length > 0) {
      throw new CommandFailure(`group ${target!} has offsets already`, {
        hint: `see what would change with \`tidemark group seek ${target!} --to-group ${source!}\``,
      });
    }
    return apply(context, admin, target!, wanted, new Map(), true);
  });
}
