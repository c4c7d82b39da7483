// `tidemark topic delete-records`: raises where partitions begin. It cannot be undone, so that what goes is shown and asked about first.
import type { TopicPartition } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { parseOffsetSpec, type OffsetSpec } from '../offset-spec.ts';
import { renderList, type Column } from '../output/report.ts';
import { confirm } from './confirmation.ts';
import { knownRanges, nameOf, positionsIn, selectPartitions } from './partition-selection.ts';

export interface DeleteRecordsOptions {
  readonly before: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface Deletion extends TopicPartition {
  readonly logStartOffset: number;
  readonly beforeOffset: number;
  /** Offsets that go; of a compacted topic there may be fewer records. */
  readonly offsets: number;
}

const columns: readonly Column<Deletion>[] = [
  { header: 'topic', cell: ({ topic }) => topic },
  { header: 'partition', cell: ({ partition }) => partition, align: 'right' },
  { header: 'start', cell: ({ logStartOffset }) => logStartOffset, align: 'right' },
  { header: 'before', cell: ({ beforeOffset }) => beforeOffset, align: 'right' },
  { header: 'offsets', cell: ({ offsets }) => offsets, align: 'right' },
];

export async function deleteRecords(
  context: CommandContext,
  selectors: readonly string[],
  { before, dryRun = false, yes = false }: DeleteRecordsOptions,
): Promise<undefined> {
  const spec = parseOffsetSpec(before, Date.now());
  const rows = await withAdmin(context.cluster, async (admin) => {
    const partitions = await selectPartitions(admin, selectors, []);
    const ranges = await knownRanges(admin, partitions);
    const positions = await positionsIn(admin, partitions, spec, ranges);
    return positions.map(({ topic, partition, offset }): Deletion => {
      const logStartOffset = ranges.get(nameOf({ topic, partition }))!.startOffset;
      const beforeOffset = exactly(spec) ?? offset;
      const offsets = Math.max(0, beforeOffset - logStartOffset);
      return { topic, partition, logStartOffset, beforeOffset, offsets };
    });
  });
  const due = rows.filter(({ offsets }) => offsets > 0);
  const total = due.reduce((sum, { offsets }) => sum + offsets, 0);
  if (!dryRun && !yes && due.length > 0) {
    const named = due.map((each) => `${nameOf(each)} below ${each.beforeOffset}`).join(', ');
    await confirm(context, `Delete for ever ${total} offsets: ${named}?`);
  }
  // What begins there already is asked for as well: it may not be so at every replica yet.
  if (!dryRun) await withAdmin(context.cluster, (admin) => admin.deleteRecords(rows));
  await write(context.io.stdout, renderList(context.output ?? 'table', rows, columns));
  return undefined;
}

/** One that does not exist yet is refused by the leader, and not taken for the end. */
function exactly(spec: OffsetSpec): number | undefined {
  return spec.kind === 'exact' ? spec.offset : undefined;
}
