// `tidemark group seek` and `clone`: where a group goes on. What would change is always shown; it is done with --execute, and only while
// the group has no members.
import type { Admin, PartitionOutcome, OffsetToCommit } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { parseOffsetSpec } from '../offset-spec.ts';
import { renderList } from '../output/report.ts';
import { seekColumns, type SeekRow } from './group-view.ts';
import { requireNoMembers } from './group.ts';
import {
  knownRanges,
  nameOf,
  parseTopicSelector,
  positionsIn,
  selectPartitions,
} from './partition-selection.ts';

export interface SeekOptions {
  readonly topic?: readonly string[];
  readonly to?: string;
  readonly toGroup?: string;
  readonly dryRun?: boolean;
  readonly execute?: boolean;
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
          : new Set((await selectPartitions(admin, selectors, [])).map((each) => nameOf(each)));
      wanted = others.filter((each) => names?.has(nameOf(each)) ?? true);
    } else {
      const partitions = await selectPartitions(admin, selectors, committed);
      wanted = await positionsIn(admin, partitions, spec, await knownRanges(admin, partitions));
    }
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
