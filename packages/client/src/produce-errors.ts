// What a produce error means for the batch and for its partition's sequence. One pure decision, from core's table and KIP-360.
import type { ErrorName } from '@tidemark/core';
import { errorTable } from '@tidemark/core';

export type ProduceVerdict =
  /** It was stored before, though nobody knows where any more. */
  | 'stored'
  /** Send it again as it is. */
  | 'retry'
  /** Send it again under a raised epoch, with sequences from 0. */
  | 'retry-reset'
  /** Send it again under another producer id. */
  | 'retry-new-id'
  /** Send its halves. */
  | 'split'
  | 'fail';

/**
 * `retriable` is the server's word, for codes this version does not know. `isFirst`: every batch sent before this one has been
 * stored, so a gap in front of it is real. Otherwise an earlier batch is yet to be sent again, and fills the gap.
 */
export function judgeProduceError(
  error: ErrorName,
  batch: {
    readonly idempotent: boolean;
    readonly isFirst: boolean;
    readonly recordCount: number;
    readonly retriable: boolean;
  },
): ProduceVerdict {
  if (batch.idempotent) {
    if (error === 'DUPLICATE_SEQUENCE_NUMBER') return 'stored';
    if (error === 'OUT_OF_ORDER_SEQUENCE_NUMBER') return batch.isFirst ? 'retry-reset' : 'retry';
    if (error === 'UNKNOWN_PRODUCER_ID') return 'retry-reset';
    if (error === 'INVALID_PRODUCER_EPOCH') return 'retry-new-id';
  }
  if ((error === 'MESSAGE_TOO_LARGE' || error === 'RECORD_LIST_TOO_LARGE') && batch.recordCount > 1) {
    return 'split';
  }
  if (error === 'UNKNOWN_SERVER_ERROR') return batch.retriable ? 'retry' : 'fail';
  return errorTable[error].retriable ? 'retry' : 'fail';
}
