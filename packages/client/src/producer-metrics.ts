// What a producer counts, as plain numbers that only grow, apart from the three that say how things stand now.

export interface ProducerMetrics {
  /** Records taken by send(), sendOneWay() and sendBytes(). */
  recordsAccepted: number;
  recordsAcknowledged: number;
  recordsFailed: number;
  /** Batches handed to a connection, repeats included. */
  batchesSent: number;
  /** Batches handed to a connection again. */
  batchesRetried: number;
  /** Batches made smaller because the broker found them too large. */
  batchesSplit: number;
  /** Answers that said the broker had the batch already. */
  duplicatesAnswered: number;
  /** Times a partition went on under a raised producer epoch. */
  epochBumps: number;
  requestsSent: number;
  /** As sent: headers of batches and requests included, after compression. */
  bytesSent: number;
  connectionsLost: number;
  /** Calls of an interceptor that threw. */
  interceptorErrors: number;
  /** Now: of buffer.memory. */
  bufferedBytes: number;
  /** Now: records that wait for memory or metadata. */
  recordsWaiting: number;
  /** Now: requests that wait for their answer. */
  requestsInFlight: number;
}

export function newProducerMetrics(): ProducerMetrics {
  return {
    recordsAccepted: 0,
    recordsAcknowledged: 0,
    recordsFailed: 0,
    batchesSent: 0,
    batchesRetried: 0,
    batchesSplit: 0,
    duplicatesAnswered: 0,
    epochBumps: 0,
    requestsSent: 0,
    bytesSent: 0,
    connectionsLost: 0,
    interceptorErrors: 0,
    bufferedBytes: 0,
    recordsWaiting: 0,
    requestsInFlight: 0,
  };
}
