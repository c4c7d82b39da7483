// `tidemark reassign ...`: moves of partitions by a file in Kafka's format.
import type { Admin, OngoingMove, PartitionOutcome } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { chunks, openInput } from '../input-stream.ts';
import { renderDocument, renderTable, type Column } from '../output/report.ts';
import { nameOf } from './partition-selection.ts';
import {
  parseReassignment,
  proposeReassignment,
  reassignmentFile,
  throttleOf,
  type PlacedPartition,
  type PlannedPartition,
} from './reassignment-plan.ts';
import { removeThrottle, setThrottle } from './reassignment-throttle.ts';

const MAX_FILE_BYTES = 64 * 1_024 * 1_024;

async function readPlan(
  context: CommandContext,
  path: string | undefined,
): Promise<readonly PlannedPartition[]> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks(openInput(context.io, path), context.interruption.signal)) {
    size += chunk.length;
    if (size > MAX_FILE_BYTES) throw usageFailure(`the reassignment is larger than ${MAX_FILE_BYTES} bytes`);
    parts.push(chunk);
  }
  const source = path === undefined || path === '-' ? 'standard input' : path;
  return parseReassignment(Buffer.concat(parts).toString('utf8'), source);
}

async function placesOf(admin: Admin, topics: readonly string[]): Promise<readonly PlacedPartition[]> {
  const found = await admin.describeTopics([...new Set(topics)]);
  return found.flatMap(({ name, partitions, error }) => {
    if (error !== undefined) throw error;
    return partitions.map(({ partition, replicas, addingReplicas }) => ({
      topic: name,
      partition,
      replicas,
      addingReplicas,
    }));
  });
}

const countOf = ({ length }: readonly unknown[]): string =>
  length === 1 ? '1 partition is' : `${length} partitions are`;

/** The plan is JSON whatever `-o` says: it is there to be applied. `--current` prints what is: the way back. */
export async function planReassignment(
  context: CommandContext,
  topics: readonly string[],
  { to = '', current = false }: { readonly to?: string; readonly current?: boolean },
): Promise<undefined> {
  const ids = to.split(',').filter((id) => id !== '');
  if (!current && (ids.length === 0 || !ids.every((id) => /^\d{1,9}$/.test(id)))) {
    throw usageFailure('it is not said which brokers', 'give --to 1,2,3, or --current');
  }
  const places = await withAdmin(context.cluster, (admin) => placesOf(admin, topics));
  const plan = current ? places : proposeReassignment(places, [...new Set(ids.map(Number))]);
  await write(context.io.stdout, `${JSON.stringify(reassignmentFile(plan), null, 2)}\n`);
  return undefined;
}

interface MoveRow extends PlannedPartition {
  readonly status: string;
  readonly message?: string;
}

const moveColumns: readonly Column<MoveRow>[] = [
  { header: 'partition', cell: nameOf },
  { header: 'replicas', cell: ({ replicas }) => replicas.join(',') },
  {
    header: 'status',
    cell: ({ status, message }) => (message === undefined ? status : `${status}: ${message}`),
  },
];

async function show(context: CommandContext, moves: readonly MoveRow[], throttle: string): Promise<void> {
  const text = renderDocument(context.output ?? 'table', { moves, throttle }, (wide) => [
    renderTable(moves, moveColumns, { wide }),
    throttle === '' ? '' : `${throttle}\n`,
  ]);
  await write(context.io.stdout, text);
}

function rowsOf(
  plan: readonly PlannedPartition[],
  outcomes: readonly PartitionOutcome[],
  done: string,
): readonly MoveRow[] {
  return plan.map((each, at) => {
    const error = outcomes[at]?.error;
    return error === undefined
      ? { ...each, status: done }
      : { ...each, status: 'refused', message: error.message };
  });
}

export async function applyReassignment(
  context: CommandContext,
  [path]: readonly string[],
  options: { readonly throttle?: number; readonly additional?: boolean },
): Promise<undefined> {
  const plan = await readPlan(context, path);
  const { throttle: rate } = options;
  if (rate !== undefined && rate < 1) throw usageFailure('--throttle is at least 1 byte a second');
  const { outcomes, throttle } = await withAdmin(context.cluster, async (admin) => {
    const ongoing = await admin.listPartitionReassignments();
    if (ongoing.length > 0 && options.additional !== true) {
      throw new CommandFailure(`${countOf(ongoing)} being moved already`, {
        hint: 'see them with `tidemark reassign status`, or move these besides with --additional',
      });
    }
    const places = await placesOf(
      admin,
      plan.map(({ topic }) => topic),
    );
    // Before anything moves: the first bytes are throttled, too.
    const said = rate === undefined ? '' : await setThrottle(admin, throttleOf(places, plan), rate);
    const moves = plan.map(({ topic, partition, replicas }) => ({ topic, partition, brokerIds: replicas }));
    return { outcomes: await admin.reassignPartitions(moves), throttle: said };
  });
  await show(context, rowsOf(plan, outcomes, 'begun'), throttle);
  const refused = outcomes.find(({ error }) => error !== undefined)?.error;
  if (refused !== undefined) throw refused;
  if (throttle !== '') {
    context.io.stderr.write(
      'the throttles stay until `tidemark reassign status FILE` finds all moves complete\n',
    );
  }
  return undefined;
}

/** How it stands with each move of the file. Throttles go when nothing in the cluster moves any more, as Kafka's --verify does. */
export async function reassignmentStatus(
  context: CommandContext,
  [path]: readonly string[],
  { preserveThrottles = false }: { readonly preserveThrottles?: boolean },
): Promise<number | undefined> {
  if (path === undefined) return showOngoing(context);
  const plan = await readPlan(context, path);
  const { rows, throttle } = await withAdmin(context.cluster, async (admin) => {
    const topics = [...new Set(plan.map(({ topic }) => topic))];
    const ongoing = await admin.listPartitionReassignments();
    const places = await placesOf(admin, topics);
    const moving = new Map(ongoing.map((move) => [nameOf(move), move]));
    const now = new Map(places.map((place) => [nameOf(place), place]));
    return {
      rows: plan.map((each) => ({
        ...each,
        ...statusOf(each, moving.get(nameOf(each)), now.get(nameOf(each))),
      })),
      throttle:
        ongoing.length > 0
          ? `throttles, if any, stay: ${countOf(ongoing)} being moved`
          : preserveThrottles
            ? 'throttles, if any, stay as asked'
            : await removeThrottle(admin, topics),
    };
  });
  await show(context, rows, throttle);
  return rows.every(({ status }) => status === 'complete') ? undefined : exitCodes.unhealthy;
}

function statusOf(
  { replicas }: PlannedPartition,
  move: OngoingMove | undefined,
  place: PlacedPartition | undefined,
): { readonly status: string; readonly message?: string } {
  if (move !== undefined) {
    return { status: 'moving', message: `adding ${move.addingReplicas.join(',') || '-'}` };
  }
  if (place === undefined) return { status: 'missing', message: 'there is no such partition' };
  if (place.replicas.join() === replicas.join()) return { status: 'complete' };
  return { status: 'different', message: `nothing moves, and the replicas are ${place.replicas.join(',')}` };
}

async function showOngoing(context: CommandContext): Promise<undefined> {
  const ongoing = await withAdmin(context.cluster, (admin) => admin.listPartitionReassignments());
  const rows = ongoing.map((move): MoveRow => ({
    topic: move.topic,
    partition: move.partition,
    replicas: move.replicas,
    status: 'moving',
    message: `adding ${move.addingReplicas.join(',') || '-'}, removing ${move.removingReplicas.join(',') || '-'}`,
  }));
  await show(context, rows, '');
  return undefined;
}

export async function cancelReassignment(
  context: CommandContext,
  [path]: readonly string[],
  { preserveThrottles = false }: { readonly preserveThrottles?: boolean },
): Promise<undefined> {
  const plan = await readPlan(context, path);
  const { moving, outcomes, throttle } = await withAdmin(context.cluster, async (admin) => {
    const ongoing = await admin.listPartitionReassignments();
    const names = new Set(ongoing.map(nameOf));
    const found = plan.filter((each) => names.has(nameOf(each)));
    const taken = found.map(({ topic, partition }) => ({ topic, partition, brokerIds: null }));
    const results = taken.length === 0 ? [] : await admin.reassignPartitions(taken);
    const topics = [...new Set(plan.map(({ topic }) => topic))];
    const failed = results.some(({ error }) => error !== undefined);
    const others = ongoing.length - found.length;
    const keeps = preserveThrottles || failed || others > 0;
    return {
      moving: found,
      outcomes: results,
      throttle: keeps ? 'throttles, if any, stay' : await removeThrottle(admin, topics),
    };
  });
  await show(context, rowsOf(moving, outcomes, 'cancelled'), throttle);
  const refused = outcomes.find(({ error }) => error !== undefined)?.error;
  if (refused !== undefined) throw refused;
  return undefined;
}
