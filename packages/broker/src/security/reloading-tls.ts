// The certificates of one listener, read again whenever their files have changed. What cannot be read, or does not fit together (a
// new certificate beside the old key), leaves the old ones in place, and is tried again at the next look.

import type { Clock, Timer } from '@tidemark/core';
import { readTlsMaterial, subjectOf, TlsMaterialError, type TlsFiles, type TlsMaterial } from '@tidemark/rpc';
import type { Logger } from 'pino';

export interface ReloadingTlsOptions {
  readonly listener: string;
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly onReplaced: (material: TlsMaterial) => void;
}

const DAY_MS = 86_400_000;
/** A certificate that ends sooner than this is spoken of at every start and reload. */
const WARN_BEFORE_MS = 14 * DAY_MS;

export class ReloadingTls {
  readonly #options: ReloadingTlsOptions;
  #material: TlsMaterial;
  #timer: Timer;
  #lastFailure = '';

  /** Throws `TlsMaterialError`. */
  constructor(options: ReloadingTlsOptions) {
    this.#options = options;
    this.#material = readTlsMaterial(options.files);
    this.#tell(this.#material, 'certificate in use');
    this.#timer = this.#next();
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  close(): void {
    this.#timer.cancel();
  }

  #next(): Timer {
    return this.#options.clock.setTimer(this.#options.intervalMs, () => {
      this.#look();
      this.#timer = this.#next();
    });
  }

  #look(): void {
    const { files, log, listener, onReplaced } = this.#options;
    try {
      const found = readTlsMaterial(files);
      this.#lastFailure = '';
      if (isSame(found, this.#material)) return;
      this.#material = found;
      onReplaced(found);
      this.#tell(found, 'certificates replaced');
    } catch (thrown) {
      if (!(thrown instanceof TlsMaterialError)) throw thrown;
      // Once for each cause: it stays until somebody acts.
      if (thrown.message === this.#lastFailure) return;
      this.#lastFailure = thrown.message;
      log.error(
        { listener, cause: thrown.message },
        'certificates were not replaced; the old ones stay in use',
      );
    }
  }

  #tell({ certificate }: TlsMaterial, what: string): void {
    if (certificate === undefined) return;
    const { log, listener } = this.#options;
    const { validTo, fingerprint256 } = certificate;
    const fields = { listener, subject: subjectOf(certificate), validTo, fingerprint256 };
    if (Date.parse(validTo) - this.#options.clock.wallMs() < WARN_BEFORE_MS) {
      log.warn(fields, `${what}; it ends soon, or has ended`);
    } else log.info(fields, what);
  }
}

const isSame = (a: TlsMaterial, b: TlsMaterial): boolean =>
  a.pem.cert === b.pem.cert && a.pem.key === b.pem.key && a.pem.ca === b.pem.ca;
