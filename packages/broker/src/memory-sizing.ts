// Whether the limits of this node's buffers fit the memory it may have: a container that is given less is killed by the kernel at the
// worst moment, and nothing in the log says why. Contract: says it once, at the start, and changes nothing.

import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { BrokerConfig } from '@tidemark/core';
import type { Logger } from 'pino';

const MIB = 1024 * 1024;
/** Node itself, its code, threads and what of a freed buffer has not been given back yet. */
const PROCESS_BYTES = 96 * MIB;

/** The most each part takes, in bytes; the rule is in docs/operations.md. */
export function memoryParts(config: BrokerConfig, heapBytes: number): Readonly<Record<string, number>> {
  const requests = config.get('queued.max.request.bytes');
  return {
    'the heap (--max-old-space-size)': heapBytes,
    'log.tail.bytes': config.get('log.tail.bytes'),
    // On their way in, waiting, and being written.
    '3 x queued.max.request.bytes': 3 * requests,
    // As read, and as sent.
    '2 x queued.max.response.bytes': 2 * config.get('queued.max.response.bytes'),
    // What zlib has, and what it is joined into.
    '2 x max.inflated.batch.bytes': 2 * config.get('max.inflated.batch.bytes'),
    'replica.fetch.window.bytes': config.get('replica.fetch.window.bytes'),
    'the process': PROCESS_BYTES,
  };
}

/** What the parts come to, in bytes. */
export function memoryNeededBytes(config: BrokerConfig, heapBytes: number): number {
  return Object.values(memoryParts(config, heapBytes)).reduce((sum, bytes) => sum + bytes, 0);
}

/** What the process may have: of its control group where that says something, else of the machine. */
export function memoryBytes(): number {
  const machine = totalmem();
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, machine) : machine;
}

export function warnOfMemory(
  config: BrokerConfig,
  log: Logger,
  haveBytes = memoryBytes(),
  heapBytes = getHeapStatistics().heap_size_limit,
): void {
  const needBytes = memoryNeededBytes(config, heapBytes);
  if (needBytes <= haveBytes) return;
  const parts = Object.entries(memoryParts(config, heapBytes));
  const inMib = Object.fromEntries(parts.map(([name, bytes]) => [name, Math.round(bytes / MIB)]));
  log.warn(
    { mib: inMib },
    `the limits of this node add up to ${Math.round(needBytes / MIB)} MiB and it may have ${Math.round(haveBytes / MIB)}: under load or ` +
      'attack it may be killed for it; lower them, or give it more (docs/operations.md, "Memory")',
  );
}
