// `tidemark quota ...`: how fast clients may be.
import type { QuotaDescription, QuotaTarget } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { parseAssignment, write, type CommandContext } from '../command-context.ts';
import { usageFailure } from '../exit.ts';
import { parseBytes } from '../output/quantity.ts';
import { renderList } from '../output/report.ts';

interface SetOptions {
  readonly user?: string;
  readonly defaultUser?: boolean;
  readonly clientId?: string;
  readonly defaultClientId?: boolean;
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
}

function targetOf({ user, defaultUser, clientId, defaultClientId }: SetOptions): QuotaTarget {
  if ((user !== undefined && defaultUser === true) || (clientId !== undefined && defaultClientId === true)) {
    throw usageFailure('a name and its default are two quotas', 'set them one after the other');
  }
  const target = {
    ...(defaultUser === true ? { user: '' } : user === undefined ? {} : { user }),
    ...(defaultClientId === true ? { clientId: '' } : clientId === undefined ? {} : { clientId }),
  };
  if (Object.keys(target).length > 0) return target;
  throw usageFailure('nobody is named', 'give --user, --client-id, --default-user or --default-client-id');
}

function valueOf(name: string, text: string): number {
  const value = name.endsWith('_byte_rate') ? parseBytes(text, name) : Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw usageFailure(`${name}: "${text}" is not a number`);
  return value;
}

export async function setQuota(
  context: CommandContext,
  _: readonly string[],
  options: SetOptions,
): Promise<undefined> {
  const target = targetOf(options);
  const values = new Map<string, number | undefined>((options.unset ?? []).map((name) => [name, undefined]));
  for (const [name, text] of (options.set ?? []).map(parseAssignment)) values.set(name, valueOf(name, text));
  if (values.size === 0) throw usageFailure('nothing is set', 'give --set NAME=VALUE or --unset NAME');
  await withAdmin(context.cluster, (admin) => admin.security.alterQuotas(target, Object.fromEntries(values)));
  await listQuotas(context);
}

export async function listQuotas(context: CommandContext): Promise<undefined> {
  const quotas = await withAdmin(context.cluster, (admin) => admin.security.describeQuotas());
  const named = (name: string | undefined): string =>
    name === undefined ? '-' : name === '' ? '<default>' : name;
  const value = (name: string) => (quota: QuotaDescription) => quota.values[name] ?? '-';
  await write(
    context.io.stdout,
    renderList(context.output ?? 'table', quotas, [
      { header: 'user', cell: ({ user }) => named(user) },
      { header: 'client-id', cell: ({ clientId }) => named(clientId) },
      { header: 'producer_byte_rate', cell: value('producer_byte_rate'), align: 'right' },
      { header: 'consumer_byte_rate', cell: value('consumer_byte_rate'), align: 'right' },
      { header: 'request_percentage', cell: value('request_percentage'), align: 'right' },
      { header: 'controller_mutation_rate', cell: value('controller_mutation_rate'), align: 'right' },
    ]),
  );
}
