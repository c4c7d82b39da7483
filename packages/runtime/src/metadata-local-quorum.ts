// A quorum of one: what is on this node's disk is committed. One batch per proposal, appended to the metadata log and synced
// together with whatever else was proposed meanwhile (the log's group commit).
//
// When the disk is full the log takes back what it could not write: that proposal and all after it are abandoned, those before
// it are not.

import {
  failure,
  invariant,
  TidemarkError,
  type Clock,
  type Failure,
  type LeaderEpoch,
  type Offset,
} from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';
import type { PartitionLog } from '@tidemark/log';
import { decodeMetadataBatches, encodeMetadataBatch } from './metadata-batch.ts';
import type { MetadataQuorum, Proposed, QuorumListener } from './metadata-quorum.ts';

/** What the quorum needs of a `PartitionLog` opened with `metadataLogConfig`. */
export type MetadataLog = Pick<
  PartitionLog,
  'append' | 'read' | 'flush' | 'nextOffset' | 'logStartOffset' | 'acknowledgeableEndOffset'
>;

export interface LocalQuorumOptions {
  readonly log: MetadataLog;
  readonly clock: Clock;
  /** Bytes proposed and not yet synced; beyond it proposals are refused. One proposal always goes through. */
  readonly maxInFlightBytes: number;
  /** A bug was met while committing: the process must end. */
  readonly onFatal: (cause: unknown) => void;
}

/** A quorum of one elects nobody: there is but one term. */
const TERM = 1 as LeaderEpoch;
const REPLAY_BYTES = 1024 * 1024;

interface InFlight {
  readonly baseOffset: Offset;
  readonly records: readonly MetadataRecord[];
  readonly sizeBytes: number;
  readonly settled: Promise<void>;
}

export class LocalQuorum implements MetadataQuorum {
  readonly #options: LocalQuorumOptions;
  #listener: QuorumListener | undefined;
  #isClosed = false;
  #inFlight: InFlight[] = [];
  #inFlightBytes = 0;

  constructor(options: LocalQuorumOptions) {
    this.#options = options;
  }

  get nextOffset(): Offset {
    return this.#options.log.nextOffset;
  }

  async start(listener: QuorumListener): Promise<void> {
    const { log } = this.#options;
    if (log.logStartOffset > 0) {
      const message = `The metadata log begins at offset ${log.logStartOffset}: what came before is lost.`;
      throw new TidemarkError('KAFKA_STORAGE_ERROR', message);
    }
    const end = log.acknowledgeableEndOffset;
    for (let at = log.logStartOffset; at < end;) {
      const read = await log.read(at, { maxBytes: REPLAY_BYTES, upTo: end, atLeastOne: true });
      if (!read.ok) throw TidemarkError.from(read);
      if (read.parts.length === 0) {
        throw new TidemarkError('CORRUPT_MESSAGE', `The metadata log has no batch at offset ${at}.`);
      }
      for (const part of read.parts) {
        const decoded = decodeMetadataBatches(part, at);
        if (!decoded.ok) throw TidemarkError.from(decoded);
        if (decoded.records.length > 0) listener.committed(decoded);
        at = (at + decoded.records.length) as Offset;
      }
      invariant(at === read.nextOffset, 'metadata was read up to where the log says', { at });
    }
    this.#listener = listener;
  }

  propose(records: readonly MetadataRecord[]): Proposed | Failure {
    if (this.#listener === undefined || this.#isClosed) {
      return failure('NOT_CONTROLLER', 'The controller is not running on this node at the moment.');
    }
    const { log, clock, maxInFlightBytes } = this.#options;
    const { bytes, batches } = encodeMetadataBatch(records, clock.wallMs(), TERM);
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes.length > maxInFlightBytes) {
      return failure(
        'THROTTLING_QUOTA_EXCEEDED',
        `${this.#inFlightBytes} bytes of metadata are on their way to the disk; retry a little later.`,
      );
    }
    const appended = log.append(bytes, batches, { leaderEpoch: TERM, origin: 'leader', handOver: true });
    if (!appended.ok) return appended;
    const { baseOffset } = appended;
    // Asked for at once and not after the write: so it waits for the sync that follows the write anyway, and starts none.
    const durable = Promise.all([appended.written, log.flush()]);
    const proposal: InFlight = {
      baseOffset,
      records,
      sizeBytes: bytes.length,
      settled: durable.then(
        () => this.#orDie(() => this.#commit(proposal)),
        (cause: unknown) => this.#orDie(() => this.#abandon(proposal, cause)),
      ),
    };
    this.#inFlight.push(proposal);
    this.#inFlightBytes += proposal.sizeBytes;
    return { ok: true, baseOffset };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#inFlight.map(({ settled }) => settled));
  }

  #commit(proposal: InFlight): void {
    invariant(this.#inFlight[0] === proposal, 'metadata is committed in order');
    this.#inFlight.shift();
    this.#inFlightBytes -= proposal.sizeBytes;
    this.#listener?.committed(proposal);
  }

  #abandon(proposal: InFlight, cause: unknown): void {
    const index = this.#inFlight.indexOf(proposal);
    // Abandoned already, together with one before it.
    if (index < 0) return;
    // Anything but a storage error is a bug of the log's.
    if (!(cause instanceof TidemarkError)) throw cause;
    for (const { sizeBytes } of this.#inFlight.splice(index)) this.#inFlightBytes -= sizeBytes;
    this.#listener?.abandoned(proposal.baseOffset, failure(cause.error, cause.message));
  }

  #orDie(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#options.onFatal(cause);
    }
  }
}
