// The commands about access: what is asked is checked here, once, by whoever decides.

import { failure, type Failure, scramKeyBytes } from '@tidemark/core';
import {
  aclKey,
  CLUSTER_RESOURCE,
  DECOY_KEY,
  quotaEntity,
  quotaKey,
  scramKey,
  type AclBinding,
  type QuotaName,
  type ScramCredential,
} from '../access.ts';
import {
  fitsAclFilter,
  type AlterClientQuotasCommand,
  type AlteredClientQuotas,
  type AlteredScramCredentials,
  type AlterQuotaResult,
  type AlterScramCredentialsCommand,
  type CreateAclResult,
  type CreateAclsCommand,
  type CreatedAcls,
  type DeleteAclsCommand,
  type DeletedAcls,
  type QuotaAlteration,
  type ScramName,
  type ScramResult,
} from '../access-commands.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { MetadataRecord } from '../metadata-record.ts';

/** Kafka's bounds (ScramMechanism): below the first a stolen credential is cheap to try out, above the second logging in is an attack. */
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 16384;

const MIN_SALT_BYTES = 16;
const MAX_SALT_BYTES = 128;
const MAX_NAME = 255;
const MAX_PRINCIPAL = 1024;
/** Of each kind: every node keeps them in memory, and an ACL is looked at by every decision that is not remembered. */
const MAX_CREDENTIALS = 100_000;
const MAX_ACLS = 50_000;
const MAX_QUOTAS = 100_000;

// eslint-disable-next-line no-control-regex -- they are what must not be in a name
const CONTROL = /[\u0000-\u001f\u007f]/;
const isName = (name: string, longest = MAX_NAME): boolean =>
  name !== '' && name.length <= longest && !CONTROL.test(name);

export function alterScramCredentials(
  { upsertions, deletions }: AlterScramCredentialsCommand,
  { image, prng }: CommandContext,
): Handled<AlteredScramCredentials> {
  const { scram } = image.access;
  const times = new Map<string, number>();
  for (const each of [...upsertions, ...deletions]) {
    times.set(scramKey(each), (times.get(scramKey(each)) ?? 0) + 1);
  }
  const records: MetadataRecord[] = [];
  let size = scram.size;
  const judge = ({ user, mechanism }: ScramName, refused: () => Failure | undefined): ScramResult => {
    const name = { user, mechanism };
    const twice = times.get(scramKey(name))! > 1;
    const why = twice ? failure('DUPLICATE_RESOURCE', 'The request names this credential twice.') : refused();
    return why === undefined ? { ok: true, ...name } : { ...why, ...name };
  };
  const upserted = upsertions.map((credential) =>
    judge(credential, () => {
      const wrong = credentialProblem(credential);
      if (wrong !== undefined) return wrong;
      if (scram.get(scramKey(credential)) === undefined && ++size > MAX_CREDENTIALS)
        return tooMany(MAX_CREDENTIALS);
      records.push({ type: 'scramCredential', ...credential });
      return undefined;
    }),
  );
  const deleted = deletions.map((name) =>
    judge(name, () => {
      if (name.user === '' || scram.get(scramKey(name)) === undefined) {
        return failure('RESOURCE_NOT_FOUND', 'There is no such credential.');
      }
      records.push({ type: 'removeScramCredential', user: name.user, mechanism: name.mechanism });
      return undefined;
    }),
  );
  const decoy: readonly MetadataRecord[] =
    records.length === 0 || scram.get(DECOY_KEY) !== undefined ? [] : [decoyRecord(prng.bytes(32))];
  return handled({ results: [...upserted, ...deleted] }, [...decoy, ...records]);
}

/** Drawn once in a cluster's life. */
function decoyRecord(secret: Uint8Array): MetadataRecord {
  const none = new Uint8Array(0);
  const mechanism = 'SCRAM-SHA-256';
  return {
    type: 'scramCredential',
    user: '',
    mechanism,
    salt: secret,
    storedKey: none,
    serverKey: none,
    iterations: 0,
  };
}

function credentialProblem(credential: ScramCredential): Failure | undefined {
  const { user, mechanism, salt, storedKey, serverKey, iterations } = credential;
  const refuse = (message: string): Failure => failure('UNACCEPTABLE_CREDENTIAL', message);
  if (!isName(user)) return refuse(`A user name has 1 to ${MAX_NAME} characters and no control characters.`);
  if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    return refuse(`iterations ${iterations} is not ${MIN_ITERATIONS} to ${MAX_ITERATIONS}.`);
  }
  if (salt.length < MIN_SALT_BYTES || salt.length > MAX_SALT_BYTES) {
    return refuse(`A salt has ${MIN_SALT_BYTES} to ${MAX_SALT_BYTES} bytes, not ${salt.length}.`);
  }
  const bytes = scramKeyBytes[mechanism];
  if (storedKey.length === bytes && serverKey.length === bytes) return undefined;
  return refuse(`The keys of ${mechanism} have ${bytes} bytes.`);
}

const tooMany = (most: number): Failure =>
  failure('POLICY_VIOLATION', `A cluster has at most ${most} of them.`);

export function createAcls({ bindings }: CreateAclsCommand, { image }: CommandContext): Handled<CreatedAcls> {
  const { acls } = image.access;
  const records: MetadataRecord[] = [];
  const added = new Set<string>();
  const results = bindings.map((binding): CreateAclResult => {
    const wrong = bindingProblem(binding);
    if (wrong !== undefined) return failure('INVALID_REQUEST', wrong);
    const key = aclKey(binding);
    if (acls.get(key) !== undefined || added.has(key)) return { ok: true };
    if (acls.size + added.size >= MAX_ACLS) return tooMany(MAX_ACLS);
    added.add(key);
    records.push({ type: 'acl', ...binding });
    return { ok: true };
  });
  return handled({ results }, records);
}

function bindingProblem({
  resourceType,
  resourceName,
  patternType,
  principal,
  host,
}: AclBinding): string | undefined {
  if (!isName(resourceName)) return `${JSON.stringify(resourceName)} is no name of a resource`;
  if (resourceType === 'cluster' && (resourceName !== CLUSTER_RESOURCE || patternType !== 'literal')) {
    return `the cluster is called ${CLUSTER_RESOURCE}, literally`;
  }
  if (!isName(principal, MAX_PRINCIPAL) || !/^User:./.test(principal)) {
    return `${JSON.stringify(principal)} is no principal: give User:NAME, or User:* for everybody`;
  }
  if (host !== '*' && !/^[0-9a-fA-F:.]{2,45}$/.test(host)) {
    return `${JSON.stringify(host)} is no address: give one, or * for all`;
  }
  return undefined;
}

export function deleteAcls({ filters }: DeleteAclsCommand, { image }: CommandContext): Handled<DeletedAcls> {
  const left = new Map(image.access.acls.entries());
  const results = filters.map((filter) => {
    const deleted = [...left].filter(([, binding]) => fitsAclFilter(binding, filter));
    for (const [key] of deleted) left.delete(key);
    return { deleted: deleted.map(([, binding]) => binding) };
  });
  const records = results.flatMap(({ deleted }) =>
    deleted.map((binding): MetadataRecord => ({ type: 'removeAcl', ...binding })),
  );
  return handled({ results }, records);
}

export function alterClientQuotas(
  { alterations, validateOnly }: AlterClientQuotasCommand,
  { image }: CommandContext,
): Handled<AlteredClientQuotas> {
  const { quotas } = image.access;
  const records: MetadataRecord[] = [];
  const added = new Set<string>();
  const seen = new Set<string>();
  const results = alterations.map((alteration): AlterQuotaResult => {
    const { changes } = alteration;
    const key = quotaKey(alteration);
    const wrong = seen.has(key) ? 'the request names this entity twice' : alterationProblem(alteration);
    if (wrong !== undefined) return failure('INVALID_REQUEST', wrong);
    seen.add(key);
    if (quotas.get(key) === undefined && changes.some(({ value }) => value !== null)) {
      if (quotas.size + added.size >= MAX_QUOTAS) return tooMany(MAX_QUOTAS);
      added.add(key);
    }
    const entity = quotaEntity(alteration);
    for (const { name, value } of changes) {
      if ((quotas.get(key)?.values.get(name) ?? null) !== value) {
        records.push({ type: 'clientQuota', ...entity, name, value });
      }
    }
    return { ok: true };
  });
  return handled({ results }, validateOnly ? [] : records);
}

function alterationProblem({ user, clientId, changes }: QuotaAlteration): string | undefined {
  if (user === undefined && clientId === undefined) return 'a quota is for a user, a client id or both';
  for (const name of [user, clientId]) {
    if (name !== undefined && name !== '' && !isName(name, MAX_PRINCIPAL)) {
      return `${JSON.stringify(name)} is no name of a user or client`;
    }
  }
  if (new Set(changes.map(({ name }) => name)).size < changes.length) return 'a quota is changed twice';
  const bad = changes.find(({ name, value }) => value !== null && !isQuota(name, value));
  return bad === undefined ? undefined : `${bad.name} cannot be ${bad.value}: give a number above 0`;
}

const isQuota = (name: QuotaName, value: number): boolean =>
  Number.isFinite(value) && value > 0 && (name === 'request_percentage' || value <= Number.MAX_SAFE_INTEGER);
