// Which quota counts for a caller: the most exact one there is, in Kafka's order (KIP-55). The quota of a user, or of every user, is
// shared by whatever clients he has; one for a client id by all who call themselves so.

import { quotaKey, type AccessImage, type QuotaName } from '@tidemark/controller';

export interface FoundQuota {
  readonly limit: number;
  /** Who shares it. */
  readonly sharedBy: string;
}

export function findQuota(
  { quotas }: AccessImage,
  name: QuotaName,
  user: string,
  clientId: string,
): FoundQuota | undefined {
  const both = `${user}\0${clientId}`;
  const order = [
    [{ user, clientId }, both],
    [{ user, clientId: '' }, both],
    [{ user }, `${user}\0`],
    [{ user: '', clientId }, both],
    [{ user: '', clientId: '' }, both],
    [{ user: '' }, `${user}\0`],
    [{ clientId }, `\0${clientId}`],
    [{ clientId: '' }, `\0${clientId}`],
  ] as const;
  for (const [entity, sharedBy] of order) {
    const limit = quotas.get(quotaKey(entity))?.values.get(name);
    if (limit !== undefined) return { limit, sharedBy };
  }
  return undefined;
}
