// Who may do what (Kafka's StandardAuthorizer): super users everything; otherwise what an ACL allows and none denies. A resource no ACL
// speaks of is closed, unless `allow.everyone.if.no.acl.found`. Whoever may read, write, delete or alter a thing may see it described.

import type { AccessImage, AclBinding, AclOperation, AclResourceType } from '@tidemark/controller';
import type { Caller } from './callers.ts';

export interface Authorizer {
  allows(caller: Caller, operation: AclOperation, type: AclResourceType, name: string): boolean;
  /** Whether there is any resource of the type on which it is allowed: the caller may try, and hears of each by itself. */
  allowsSome(caller: Caller, operation: AclOperation, type: AclResourceType): boolean;
}

export const openToAll: Authorizer = { allows: () => true, allowsSome: () => true };

export interface AclAuthorizerOptions {
  readonly access: () => AccessImage;
  readonly superUsers: readonly string[];
  readonly allowIfNoAclFound: boolean;
}

/** Allowing one of these allows the operation before them; denying does not deny it. */
const IMPLIED_BY: Partial<Readonly<Record<AclOperation, readonly AclOperation[]>>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  'describe-configs': ['alter-configs'],
};

/** Decisions remembered until an ACL changes; the hot path asks the same again and again. */
const MAX_REMEMBERED = 50_000;
/** Longer names are none of anything there is: whoever asks about them is not to fill the memory with them. */
const MAX_REMEMBERED_NAME = 512;

interface TypeIndex {
  readonly literal: ReadonlyMap<string, readonly AclBinding[]>;
  readonly prefixed: ReadonlyMap<string, readonly AclBinding[]>;
  /** How long the prefixes are. Callers make names as long as a request may be: looking at each beginning of one would take seconds. */
  readonly prefixLengths: ReadonlySet<number>;
}

export class AclAuthorizer implements Authorizer {
  readonly #options: AclAuthorizerOptions;
  readonly #superUsers: ReadonlySet<string>;
  #acls: AccessImage['acls'] | undefined;
  #index = new Map<AclResourceType, TypeIndex>();
  readonly #remembered = new Map<string, boolean>();

  constructor(options: AclAuthorizerOptions) {
    this.#options = options;
    this.#superUsers = new Set(options.superUsers);
  }

  allows(caller: Caller, operation: AclOperation, type: AclResourceType, name: string): boolean {
    if (this.#superUsers.has(caller.principal)) return true;
    this.#refresh();
    const key = [caller.principal, caller.host, operation, type, name].join('\0');
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const decided = this.#decide(caller, operation, type, name);
    if (name.length <= MAX_REMEMBERED_NAME) this.#remembered.set(key, decided);
    return decided;
  }

  allowsSome(caller: Caller, operation: AclOperation, type: AclResourceType): boolean {
    if (this.#superUsers.has(caller.principal) || this.#options.allowIfNoAclFound) return true;
    this.#refresh();
    const index = this.#index.get(type);
    if (index === undefined) return false;
    for (const bindings of [...index.literal.values(), ...index.prefixed.values()]) {
      if (bindings.some((acl) => this.#leavesSome(acl, caller, operation))) return true;
    }
    return false;
  }

  /** Whether it allows the operation on something that nothing denies whole. */
  #leavesSome(acl: AclBinding, caller: Caller, operation: AclOperation): boolean {
    if (acl.permission !== 'allow' || !concerns(acl, caller) || !isFor(acl, operation)) return false;
    return !this.#matching(acl.resourceType, acl.resourceName).some((other) => {
      if (other.permission !== 'deny' || !concerns(other, caller) || !isFor(other, operation)) return false;
      const isOneName = acl.patternType === 'literal' && acl.resourceName !== '*';
      return isOneName || other.patternType === 'prefixed' || other.resourceName === '*';
    });
  }

  #decide(caller: Caller, operation: AclOperation, type: AclResourceType, name: string): boolean {
    const found = this.#matching(type, name);
    if (found.length === 0) return this.#options.allowIfNoAclFound;
    const mine = found.filter((acl) => concerns(acl, caller));
    if (mine.some((acl) => acl.permission === 'deny' && isFor(acl, operation))) return false;
    const wanted = [operation, ...(IMPLIED_BY[operation] ?? [])];
    return mine.some((acl) => acl.permission === 'allow' && wanted.some((each) => isFor(acl, each)));
  }

  #matching(type: AclResourceType, name: string): readonly AclBinding[] {
    const index = this.#index.get(type);
    if (index === undefined) return [];
    const found = [
      ...(index.literal.get(name) ?? []),
      ...(name === '*' ? [] : (index.literal.get('*') ?? [])),
    ];
    for (const length of index.prefixLengths) {
      if (length <= name.length) found.push(...(index.prefixed.get(name.slice(0, length)) ?? []));
    }
    return found;
  }

  #refresh(): void {
    const { acls } = this.#options.access();
    if (acls === this.#acls) return;
    this.#acls = acls;
    this.#remembered.clear();
    this.#index = indexOf(acls.values());
  }
}

function indexOf(acls: Iterable<AclBinding>): Map<AclResourceType, TypeIndex> {
  const index = new Map<
    AclResourceType,
    { literal: Map<string, AclBinding[]>; prefixed: Map<string, AclBinding[]>; prefixLengths: Set<number> }
  >();
  for (const acl of acls) {
    const ofType = index.get(acl.resourceType) ?? {
      literal: new Map<string, AclBinding[]>(),
      prefixed: new Map<string, AclBinding[]>(),
      prefixLengths: new Set<number>(),
    };
    index.set(acl.resourceType, ofType);
    if (acl.patternType === 'prefixed') ofType.prefixLengths.add(acl.resourceName.length);
    const byName = ofType[acl.patternType];
    const bindings = byName.get(acl.resourceName);
    if (bindings === undefined) byName.set(acl.resourceName, [acl]);
    else bindings.push(acl);
  }
  return index;
}

const concerns = (acl: AclBinding, { principal, host }: Caller): boolean =>
  (acl.principal === principal || acl.principal === 'User:*') && (acl.host === '*' || acl.host === host);

const isFor = (acl: AclBinding, operation: AclOperation): boolean =>
  acl.operation === operation || acl.operation === 'all';
