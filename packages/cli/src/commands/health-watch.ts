// `tidemark cluster health -w`: the health of the cluster again whenever it changes, until Ctrl-C. A cluster that does not answer is one
// more thing to be told, not the end.
import { TidemarkError } from '@tidemark/core';
import type { ClusterHealth } from '@tidemark/client';
import { setTimeout } from 'node:timers/promises';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { exitCodes } from '../exit.ts';
import { renderDocument } from '../output/report.ts';
import { healthView } from './cluster-view.ts';

const LOOK_EVERY_MS = 1_000;

interface Look {
  /** Equal while nothing changed that a person would want to see. */
  readonly key: string;
  readonly healthy: boolean;
  readonly document: object;
  readonly view: () => readonly string[];
}

function seen(health: ClusterHealth): Look {
  const { healthy, controllerId, reasons } = health;
  return {
    key: JSON.stringify([healthy, controllerId, reasons]),
    healthy,
    document: health,
    view: () => healthView(health),
  };
}

function unanswered(error: TidemarkError): Look {
  return {
    key: 'no answer',
    healthy: false,
    document: { healthy: false, unreachable: error.message },
    view: () => [`HEALTH      no answer\n${error.message}\n`],
  };
}

/** Answers the exit code of what it saw last. */
export async function watchHealth(context: CommandContext, timeoutMs: number): Promise<number | undefined> {
  const { signal } = context.interruption;
  // Waiting for the listener is for a command that asks once.
  const cluster = { ...context.cluster, patient: true };
  const format = context.output ?? 'table';
  const isText = format === 'table' || format === 'wide';
  return withAdmin(cluster, async (admin) => {
    let last: Look | undefined;
    while (!signal.aborted) {
      const look = await admin.clusterHealth({ timeoutMs }).then(seen, (error: unknown) => {
        if (!(error instanceof TidemarkError)) throw error;
        return unanswered(error);
      });
      if (look.key !== last?.key) {
        last = look;
        const at = new Date().toISOString();
        const text = isText
          ? `--- ${at.slice(11, 19)} UTC\n${look.view().join('\n')}`
          : renderDocument(format, { at, ...look.document }, look.view);
        if (!(await write(context.io.stdout, text))) break;
      }
      // Rejects when it is aborted, and then the loop ends.
      await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    return last === undefined || last.healthy ? undefined : exitCodes.unhealthy;
  });
}
