// `tidemark quorum ...`: who decides about the cluster's metadata, and changing that.
import type { Admin, NewVoter, QuorumDescription } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes, usageFailure } from '../exit.ts';
import { renderDocument, renderFields } from '../output/report.ts';
import { hostPort } from './cluster-view.ts';
import { lookTimeoutMs } from './cluster.ts';
import { parseNewVoter, parseNodeId, parseVoterReference, quorumView } from './quorum-view.ts';

/** As the leader sees it; where none answers, as any node does, with the reason. */
async function look(
  admin: Admin,
  timeoutMs: number,
): Promise<{ readonly quorum: QuorumDescription; readonly stale: TidemarkError | undefined }> {
  try {
    return { quorum: await admin.describeQuorum({ timeoutMs }), stale: undefined };
  } catch (error) {
    if (!(error instanceof TidemarkError) || !error.retriable) throw error;
    return { quorum: await admin.describeQuorum({ timeoutMs, allowStale: true }), stale: error };
  }
}

export async function quorumStatus(context: CommandContext): Promise<number | undefined> {
  const timeoutMs = lookTimeoutMs(context.cluster);
  const { quorum, stale } = await withAdmin(context.cluster, (admin) => look(admin, timeoutMs));
  const document = stale === undefined ? quorum : { ...quorum, stale: stale.message };
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, (wide) => quorumView(quorum, wide)),
  );
  if (stale === undefined) return undefined;
  context.io.stderr.write(
    `no active controller answers (${stale.message}), so this is only what node ${quorum.nodeId} knows\n`,
  );
  return exitCodes.unhealthy;
}

/** The observer of this node id, with what it takes to make it a voter. */
async function observerToAdd(admin: Admin, nodeId: number): Promise<NewVoter> {
  const { voters, observers } = await admin.describeQuorum();
  const found = observers.filter((observer) => observer.nodeId === nodeId);
  const [observer] = found;
  if (observer === undefined) {
    const votes = voters.some((voter) => voter.nodeId === nodeId);
    throw new CommandFailure(
      votes ? `node ${nodeId} votes already` : `node ${nodeId} does not follow the quorum`,
      {
        exitCode: votes ? exitCodes.failure : exitCodes.notFound,
        hint: votes
          ? `if its disk was replaced, take the old vote away first: \`tidemark quorum remove-voter ${nodeId}\``
          : 'start it with the controller role and controller.quorum.voters, then see `tidemark quorum status`',
      },
    );
  }
  if (found.length > 1 || observer.host === '') {
    throw new CommandFailure(
      found.length > 1
        ? `node ${nodeId} follows the quorum from ${found.length} directories`
        : `the address of node ${nodeId} is not known`,
      { hint: 'name it whole: `tidemark quorum add-voter NODE_ID:DIRECTORY_ID@HOST:PORT`' },
    );
  }
  const { directoryId, host, port } = observer;
  return { nodeId, directoryId, host, port };
}

export async function addVoter(
  context: CommandContext,
  [text]: readonly string[],
  { node }: { readonly node?: number },
): Promise<undefined> {
  if ((text === undefined) === (node === undefined)) {
    throw usageFailure(
      text === undefined ? 'no voter is named' : 'a whole voter and --node exclude each other',
      'give NODE_ID:DIRECTORY_ID@HOST:PORT, or --node NODE_ID',
    );
  }
  const given = text === undefined ? undefined : parseNewVoter(text);
  const voter = await withAdmin(context.cluster, async (admin) => {
    const wanted = given ?? (await observerToAdd(admin, node!));
    await admin.addVoter(wanted);
    return wanted;
  });
  await show(context, { ...voter, status: 'added' }, [
    ['node', voter.nodeId],
    ['directory', voter.directoryId],
    ['endpoint', hostPort(voter)],
    ['status', 'votes now'],
  ]);
  return undefined;
}

export async function removeVoter(context: CommandContext, [text]: readonly string[]): Promise<undefined> {
  const voter = parseVoterReference(text!);
  await withAdmin(context.cluster, (admin) => admin.removeVoter(voter));
  const { nodeId, directoryId } = voter;
  await show(context, { nodeId, directoryId, status: 'removed' }, [
    ['node', nodeId],
    ...(directoryId === undefined ? [] : [['directory', directoryId] as const]),
    ['status', 'votes no more'],
  ]);
  return undefined;
}

export async function transferLeadership(
  context: CommandContext,
  [text]: readonly string[],
): Promise<undefined> {
  const to = text === undefined ? undefined : parseNodeId(text);
  const leaderId = await withAdmin(context.cluster, (admin) => admin.transferLeadership(to));
  await show(context, { leaderId }, [
    ['leader', leaderId < 0 ? 'being elected; see `tidemark quorum status`' : leaderId],
  ]);
  return undefined;
}

async function show(
  context: CommandContext,
  document: object,
  fields: readonly (readonly [name: string, value: string | number])[],
): Promise<void> {
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, () => [renderFields(fields)]),
  );
}
