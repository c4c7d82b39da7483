// `tidemark cluster info`, `health` and `unregister`.
import { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type ClusterSettings, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes } from '../exit.ts';
import { renderDocument, renderFields } from '../output/report.ts';
import { clusterView, healthView } from './cluster-view.ts';
import { watchHealth } from './health-watch.ts';

/** An election takes a second or two; who looks wants to see something soon. `--timeout` waits longer. */
const LOOK_MS = 5_000;

export function lookTimeoutMs({ patient, timeoutMs }: ClusterSettings): number {
  return patient ? timeoutMs : LOOK_MS;
}

export async function clusterInfo(context: CommandContext): Promise<undefined> {
  const timeoutMs = lookTimeoutMs(context.cluster);
  const cluster = await withAdmin(context.cluster, (admin) => admin.describeCluster({ timeoutMs }));
  const { stale, ...data } = cluster;
  const document = stale === undefined ? data : { ...data, stale: stale.message };
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, (wide) => clusterView(cluster, wide)),
  );
  if (stale !== undefined) {
    context.io.stderr.write(
      `the quorum does not answer (${stale.message}), so this may be old; see \`tidemark quorum status\`\n`,
    );
  }
  return undefined;
}

/** A cluster that cannot be reached is unhealthy, too: a probe asks one question and wants one answer. */
export async function clusterHealth(
  context: CommandContext,
  _args: readonly string[],
  { watch = false }: { readonly watch?: boolean },
): Promise<number | undefined> {
  const timeoutMs = lookTimeoutMs(context.cluster);
  if (watch) return watchHealth(context, timeoutMs);
  const health = await withAdmin(context.cluster, (admin) => admin.clusterHealth({ timeoutMs })).catch(
    (error: unknown) => {
      if (!(error instanceof TidemarkError)) throw error;
      throw new CommandFailure(`the cluster does not answer: ${error.message}`, {
        exitCode: exitCodes.unhealthy,
        hint: 'is a server running there? start one with `tidemark dev`, or name it with --brokers',
        cause: error,
      });
    },
  );
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', health, () => healthView(health)),
  );
  return health.healthy ? undefined : exitCodes.unhealthy;
}

export async function unregisterBroker(
  context: CommandContext,
  _args: readonly string[],
  { id }: { readonly id: number },
): Promise<undefined> {
  await withAdmin(context.cluster, (admin) => admin.unregisterBroker(id));
  const document = { brokerId: id, status: 'unregistered' };
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, () => [
      renderFields([
        ['broker', id],
        ['status', 'registered no more'],
      ]),
    ]),
  );
  return undefined;
}
