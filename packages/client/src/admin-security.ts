// The calls behind `admin.security`: users and their passwords, ACLs, quotas. A password never leaves the client: what the cluster is
// told are the keys that come of it.
import { randomBytes } from 'node:crypto';
import { TidemarkError, type ScramMechanism } from '@tidemark/core';
import { scramKeysOf, securityService, throwFromDetail } from '@tidemark/rpc';
import type { AnyBroker } from './any-broker.ts';

export interface UserCredential {
  readonly user: string;
  readonly mechanism: string;
  readonly iterations: number;
}

export interface NewCredential {
  readonly user: string;
  readonly password: string;
  /** Default SCRAM-SHA-256. */
  readonly mechanism?: ScramMechanism | undefined;
  /** 4096 (the default) to 16384. */
  readonly iterations?: number | undefined;
}

/** Words in small letters, as the command line has them. */
export interface AclEntry {
  readonly resourceType: string;
  readonly resourceName: string;
  readonly patternType: string;
  readonly principal: string;
  readonly host: string;
  readonly operation: string;
  readonly permission: string;
}

/** At least one of the two; `''`: whoever has no quota of his own. */
export interface QuotaTarget {
  readonly user?: string | undefined;
  readonly clientId?: string | undefined;
}

export interface QuotaDescription extends QuotaTarget {
  readonly values: Readonly<Record<string, number>>;
}

const SALT_BYTES = 24;

export class SecurityCalls {
  readonly #any: AnyBroker;

  constructor(any: AnyBroker) {
    this.#any = any;
  }

  /** Gives a user a password for a mechanism, in the place of the one before. */
  async upsertCredential(credential: NewCredential): Promise<void> {
    const { user, password, mechanism = 'SCRAM-SHA-256', iterations = 4096 } = credential;
    if (iterations > 16_384 || iterations < 4096) {
      throw new TidemarkError('UNACCEPTABLE_CREDENTIAL', `iterations ${iterations} is not 4096 to 16384`);
    }
    const keys = await scramKeysOf(mechanism, password, iterations, randomBytes(SALT_BYTES));
    const upsertion = { ...keys, user, mechanism, salt: Buffer.from(keys.salt) };
    await this.#alter({
      upsertions: [
        { ...upsertion, storedKey: Buffer.from(keys.storedKey), serverKey: Buffer.from(keys.serverKey) },
      ],
    });
  }

  async deleteCredential(user: string, mechanism: ScramMechanism): Promise<void> {
    await this.#alter({ deletions: [{ user, mechanism }] });
  }

  /** Of these users, or of all. */
  async describeCredentials(users: readonly string[] = []): Promise<readonly UserCredential[]> {
    const answer = await this.#any.read(securityService.DescribeScramCredentials, { users: [...users] });
    throwFromDetail(answer.error);
    return answer.credentials;
  }

  async createAcls(acls: readonly AclEntry[]): Promise<void> {
    const answer = await this.#any.change(securityService.CreateAcls, { acls: [...acls] });
    for (const { error } of answer.results) throwFromDetail(error);
  }

  /** Removes every ACL that fits; what is not given fits anything. Answers those removed. */
  async deleteAcls(filter: Partial<AclEntry>): Promise<readonly AclEntry[]> {
    const answer = await this.#any.change(securityService.DeleteAcls, { filters: [filter] });
    return answer.results.flatMap(({ error, deleted }) => {
      throwFromDetail(error);
      return deleted;
    });
  }

  async describeAcls(filter: Partial<AclEntry> = {}): Promise<readonly AclEntry[]> {
    const answer = await this.#any.read(securityService.DescribeAcls, { filter });
    throwFromDetail(answer.error);
    return answer.acls;
  }

  /** By Kafka's names; undefined removes one. */
  async alterQuotas(
    target: QuotaTarget,
    values: Readonly<Record<string, number | undefined>>,
  ): Promise<void> {
    const changes = Object.entries(values).map(([name, value]) =>
      value === undefined ? { name } : { name, value },
    );
    const answer = await this.#any.change(securityService.AlterClientQuotas, {
      alterations: [{ entity: entityOf(target), changes }],
    });
    for (const { error } of answer.results) throwFromDetail(error);
  }

  async describeQuotas(): Promise<readonly QuotaDescription[]> {
    const answer = await this.#any.read(securityService.DescribeClientQuotas, {});
    throwFromDetail(answer.error);
    return answer.quotas.map(({ entity, values }) => ({
      ...entityOf(entity ?? {}),
      values: Object.fromEntries(values.map(({ name, value = 0 }) => [name, value])),
    }));
  }

  async #alter(
    request: Parameters<typeof securityService.AlterScramCredentials.requestSerialize>[0],
  ): Promise<void> {
    const answer = await this.#any.change(securityService.AlterScramCredentials, request);
    for (const { error } of answer.results) throwFromDetail(error);
  }
}

function entityOf({ user, clientId }: QuotaTarget): { readonly user?: string; readonly clientId?: string } {
  return { ...(user === undefined ? {} : { user }), ...(clientId === undefined ? {} : { clientId }) };
}
