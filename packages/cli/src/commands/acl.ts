// `tidemark acl ...`: who may do what.
import type { AclEntry } from '@tidemark/client';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { usageFailure } from '../exit.ts';
import { renderList, type Column } from '../output/report.ts';
import { confirm } from './confirmation.ts';

interface BindingOptions {
  readonly topic?: string;
  readonly group?: string;
  readonly transactionalId?: string;
  readonly cluster?: boolean;
  readonly prefixed?: boolean;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly operation?: readonly string[];
  readonly host?: string;
}

const columns: readonly Column<AclEntry>[] = [
  { header: 'permission', cell: ({ permission }) => permission },
  { header: 'principal', cell: ({ principal }) => principal },
  { header: 'operation', cell: ({ operation }) => operation },
  { header: 'resource', cell: ({ resourceType }) => resourceType },
  {
    header: 'name',
    cell: ({ resourceName, patternType }) => (patternType === 'prefixed' ? `${resourceName}…` : resourceName),
  },
  { header: 'host', cell: ({ host }) => host },
  { header: 'pattern', cell: ({ patternType }) => patternType, wide: true },
];

type Resource = Partial<Pick<AclEntry, 'resourceType' | 'resourceName' | 'patternType'>>;

function resourceOf(options: BindingOptions): Resource {
  const patternType = options.prefixed === true ? 'prefixed' : 'literal';
  const named: Resource[] = [
    ...(options.topic === undefined
      ? []
      : [{ resourceType: 'topic', resourceName: options.topic, patternType }]),
    ...(options.group === undefined
      ? []
      : [{ resourceType: 'group', resourceName: options.group, patternType }]),
    ...(options.transactionalId === undefined
      ? []
      : [{ resourceType: 'transactional-id', resourceName: options.transactionalId, patternType }]),
    ...(options.cluster === true
      ? [{ resourceType: 'cluster', resourceName: 'kafka-cluster', patternType: 'literal' }]
      : []),
  ];
  if (named.length > 1) throw usageFailure('an ACL is about one resource', 'add one ACL for each');
  return named[0] ?? {};
}

/** Who and what, each with each; undefined where nothing was said. */
function* bindings(options: BindingOptions): IterableIterator<Partial<AclEntry>> {
  const who: Partial<AclEntry>[] = [
    ...(options.allow ?? []).map((principal) => ({ principal, permission: 'allow' })),
    ...(options.deny ?? []).map((principal) => ({ principal, permission: 'deny' })),
  ];
  const what: Partial<AclEntry>[] = (options.operation ?? []).map((operation) => ({ operation }));
  const rest = { ...resourceOf(options), ...(options.host === undefined ? {} : { host: options.host }) };
  for (const each of who.length === 0 ? [{}] : who) {
    for (const operation of what.length === 0 ? [{}] : what) yield { ...rest, ...each, ...operation };
  }
}

export async function addAcls(
  context: CommandContext,
  _: readonly string[],
  options: BindingOptions,
): Promise<undefined> {
  const acls = [...bindings(options)].map((binding): AclEntry => {
    const { resourceType, resourceName, patternType, principal, permission, operation, host = '*' } = binding;
    if (resourceType === undefined || resourceName === undefined || patternType === undefined) {
      throw usageFailure('no resource is named', 'give --topic, --group, --transactional-id or --cluster');
    }
    if (principal === undefined || permission === undefined) {
      throw usageFailure('nobody is named', 'give --allow User:NAME or --deny User:NAME');
    }
    if (operation === undefined)
      throw usageFailure('no operation is named', 'give --operation, e.g. read or all');
    return { resourceType, resourceName, patternType, principal, host, operation, permission };
  });
  await withAdmin(context.cluster, (admin) => admin.security.createAcls(acls));
  await write(context.io.stdout, renderList(context.output ?? 'table', acls, columns));
}

export async function listAcls(
  context: CommandContext,
  _: readonly string[],
  options: BindingOptions,
): Promise<undefined> {
  const found = await withAdmin(context.cluster, async (admin) => {
    const lists = await Promise.all(
      [...bindings(options)].map((filter) => admin.security.describeAcls(filter)),
    );
    return lists.flat();
  });
  await write(context.io.stdout, renderList(context.output ?? 'table', found, columns));
}

export async function removeAcls(
  context: CommandContext,
  _: readonly string[],
  options: BindingOptions & { readonly yes?: boolean },
): Promise<undefined> {
  const filters = [...bindings(options)];
  const removed = await withAdmin(context.cluster, async (admin) => {
    const found = (await Promise.all(filters.map((filter) => admin.security.describeAcls(filter)))).flat();
    if (found.length > 0 && options.yes !== true) await confirm(context, `Remove ${found.length} ACLs?`);
    const lists: AclEntry[] = [];
    for (const filter of filters) lists.push(...(await admin.security.deleteAcls(filter)));
    return lists;
  });
  await write(context.io.stdout, renderList(context.output ?? 'table', removed, columns));
}
