// `tidemark group ...`: who reads what, how far behind, why it rebalanced; moving, copying and deleting its offsets.
import type { Admin } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes } from '../exit.ts';
import { renderDocument, renderList } from '../output/report.ts';
import { confirm } from './confirmation.ts';
import { groupSituation } from './group-situation.ts';
import {
  explainGroup,
  explanationView,
  groupView,
  lagColumns,
  listColumns,
  type LagRow,
} from './group-view.ts';

export async function listGroups(
  context: CommandContext,
  _: readonly string[],
  { state }: { readonly state?: readonly string[] },
): Promise<number | undefined> {
  const { groups, incomplete } = await withAdmin(context.cluster, (admin) => admin.listGroups(state ?? []));
  await write(context.io.stdout, renderList(context.output ?? 'table', groups, listColumns));
  for (const { brokerId, error } of incomplete) {
    context.io.stderr.write(`groups of broker ${brokerId} may be missing: ${error.message}\n`);
  }
  return incomplete.length === 0 ? undefined : exitCodes.unhealthy;
}

export async function describeGroup(
  context: CommandContext,
  groupIds: readonly string[],
  { watch }: { readonly watch?: number },
): Promise<undefined> {
  if (watch !== undefined) {
    const { watchGroups } = await import('./group-watch.ts');
    await withAdmin(context.cluster, (admin) => watchGroups(context, admin, groupIds, watch));
    return undefined;
  }
  const texts = await withAdmin(context.cluster, async (admin) => {
    const found: string[] = [];
    for (const groupId of groupIds) {
      const group = await groupSituation(admin, groupId);
      found.push(
        renderDocument(context.output ?? 'table', group, (wide) => groupView(group, wide, Date.now())),
      );
    }
    return found;
  });
  await write(context.io.stdout, texts.join('\n'));
  return undefined;
}

export async function groupLag(context: CommandContext, groupIds: readonly string[]): Promise<undefined> {
  const rows = await withAdmin(context.cluster, async (admin) => {
    const named =
      groupIds.length > 0 ? groupIds : (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    const found: LagRow[] = [];
    for (const groupId of named) {
      const { partitions } = await groupSituation(admin, groupId);
      for (const { topic, partition, committedOffset, endOffset, lag } of partitions) {
        found.push({ groupId, topic, partition, committedOffset, endOffset, lag });
      }
    }
    return found;
  });
  await write(context.io.stdout, renderList(context.output ?? 'table', rows, lagColumns));
  const total = rows.reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
  context.io.stderr.write(`total lag ${total}\n`);
  return undefined;
}

export async function explain(context: CommandContext, [groupId]: readonly string[]): Promise<undefined> {
  const group = await withAdmin(context.cluster, (admin) => groupSituation(admin, groupId!));
  const explanation = explainGroup(group);
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', explanation, () => explanationView(explanation, Date.now())),
  );
  return undefined;
}

export async function deleteGroups(
  context: CommandContext,
  groupIds: readonly string[],
  { yes }: { readonly yes?: boolean },
): Promise<number | undefined> {
  if (yes !== true) await confirm(context, `Delete ${groupIds.join(', ')} and all committed offsets?`);
  const outcomes = await withAdmin(context.cluster, (admin) => admin.deleteGroups(groupIds));
  const rows = outcomes.map(({ groupId, error }) => ({
    groupId,
    status: error === undefined ? 'deleted' : error.message,
  }));
  await write(
    context.io.stdout,
    renderList(context.output ?? 'table', rows, [
      { header: 'group', cell: ({ groupId }) => groupId },
      { header: 'status', cell: ({ status }) => status },
    ]),
  );
  const failed = outcomes.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return undefined;
  const isMissing = failed.every(({ error }) => error?.error === 'GROUP_ID_NOT_FOUND');
  const hint = isMissing ? 'tidemark group list' : `tidemark group describe ${failed[0]!.groupId}`;
  context.io.stderr.write(`${failed.length} of ${outcomes.length} were not deleted; see \`${hint}\`\n`);
  return isMissing ? exitCodes.notFound : exitCodes.failure;
}

/** The group's offsets are changed from outside only while nobody is in it. */
export async function requireNoMembers(admin: Admin, groupId: string): Promise<void> {
  let members;
  try {
    ({ members } = await admin.describeGroup(groupId));
  } catch (error) {
    if (error instanceof TidemarkError && error.error === 'GROUP_ID_NOT_FOUND') return;
    throw error;
  }
  if (members.length === 0) return;
  const { memberName } = await import('./group-view.ts');
  const names = members.map(memberName);
  const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
  throw new CommandFailure(
    `group ${groupId} has members: ${shown.join(', ')}; only they commit its offsets`,
    {
      hint: `stop them, then look with \`tidemark group describe ${groupId}\``,
    },
  );
}
