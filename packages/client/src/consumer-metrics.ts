// What a consumer counts, as plain numbers that only grow, apart from the last, which says how things stand now.

export interface ConsumerMetrics {
  batchesConsumed: number;
  /** Of batches, headers included, as stored. */
  bytesConsumed: number;
  connectionsLost: number;
  /** Times records that had been read were found gone, and reading went on where the log differs (KIP-320). */
  truncations: number;
  /** Now: bytes of batches that were pushed and not yet taken. */
  prefetchedBytes: number;
}

export function newConsumerMetrics(): ConsumerMetrics {
  return { batchesConsumed: 0, bytesConsumed: 0, connectionsLost: 0, truncations: 0, prefetchedBytes: 0 };
}
