// What a handler may look at. It changes nothing: it answers the records that, replayed, make the change, and the response
// to give once they are committed.

import type { BrokerConfig, Failure, Offset, Prng } from '@tidemark/core';
import type { SessionsView } from './broker-sessions.ts';
import type { MetadataImage } from './metadata-image.ts';
import type { MetadataRecord } from './metadata-record.ts';

/** What a command is decided on. */
export interface CommandInput {
  /** With everything that was decided before, committed or on its way. */
  readonly image: MetadataImage;
  /** The offset the first record will get. */
  readonly nextOffset: Offset;
  readonly prng: Prng;
  /** Monotonic, in milliseconds. */
  readonly nowMs: number;
  readonly sessions: SessionsView;
}

export interface CommandContext extends CommandInput {
  /** The controller's own configuration: defaults and limits for new topics. */
  readonly config: BrokerConfig;
}

export type Handled<R> =
  { readonly ok: true; readonly records: readonly MetadataRecord[]; readonly response: R } | Failure;

export function handled<R>(response: R, records: readonly MetadataRecord[] = []): Handled<R> {
  return { ok: true, records, response };
}
