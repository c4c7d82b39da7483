// SettlePartitions: the active controller goes on with what the coming and going of brokers means for partitions, where one
// command would have changed too many at once.

import type { SettledPartitions } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { settleLeftovers } from '../partition-settling.ts';

export function settlePartitions({ image, config }: CommandContext): Handled<SettledPartitions> {
  const records = settleLeftovers(image, config);
  return handled({ changed: records.length }, records);
}
