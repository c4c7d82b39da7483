// SecurityService.AlterScramCredentials and DescribeScramCredentials. What is told of a credential is that it is there.

import { failure, type Failure, isFailure, isScramMechanism, type ScramMechanism } from '@tidemark/core';
import type { ScramCredential } from '@tidemark/controller';
import {
  failureDetail,
  type AlterScramCredentialsRequestOutput,
  type AlterScramCredentialsResponse,
  type DescribeScramCredentialsRequestOutput,
  type DescribeScramCredentialsResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided, inPlace } from './decided.ts';
import { whenCurrent } from './linearizable.ts';

type Named = { readonly user: string; readonly mechanism: string };
const known = <T extends Named>(each: T): (T & { readonly mechanism: ScramMechanism }) | Failure =>
  isScramMechanism(each.mechanism)
    ? { ...each, mechanism: each.mechanism }
    : failure(
        'UNSUPPORTED_SASL_MECHANISM',
        `${JSON.stringify(each.mechanism)} is no mechanism of this version`,
      );

export async function alterScramCredentials(
  context: NodeContext,
  request: AlterScramCredentialsRequestOutput,
): Promise<AlterScramCredentialsResponse> {
  const upsertions = request.upsertions.map(known);
  const deletions = request.deletions.map(known);
  const response = await decided(
    context,
    {
      type: 'alterScramCredentials',
      upsertions: upsertions.flatMap((each): ScramCredential[] => (isFailure(each) ? [] : [each])),
      deletions: deletions.flatMap((each) => (isFailure(each) ? [] : [each])),
    },
    0,
  );
  const results = inPlace([...upsertions, ...deletions], response);
  return {
    results: [...request.upsertions, ...request.deletions].map(({ user, mechanism }, at) => {
      const result = results[at]!;
      return isFailure(result) ? { user, mechanism, error: failureDetail(result) } : { user, mechanism };
    }),
  };
}

export async function describeScramCredentials(
  context: NodeContext,
  { users }: DescribeScramCredentialsRequestOutput,
): Promise<DescribeScramCredentialsResponse> {
  const error = await whenCurrent(context, { allowStale: false, timeoutMs: 0 });
  if (error !== undefined) return { error };
  const all = [...context.metadata.image.access.scram.values()]
    // Without the decoy.
    .filter(({ user }) => user !== '' && (users.length === 0 || users.includes(user)))
    .sort((a, b) => (a.user + a.mechanism < b.user + b.mechanism ? -1 : 1));
  return { credentials: all.map(({ user, mechanism, iterations }) => ({ user, mechanism, iterations })) };
}
