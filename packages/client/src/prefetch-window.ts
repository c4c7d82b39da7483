// How many bytes one broker may push ahead of the application, over all its connections: what an earlier one brought and nobody has
// taken yet leaves less for the next. Contract: what has arrived and what may still come are never more than the window, but for the
// last batch.
import type { FetchConnection } from './fetch-connection.ts';

export class PrefetchWindow {
  readonly #windowBytes: number;
  #heldBytes = 0;
  #connection: FetchConnection | undefined;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** What a connection that is opened now may begin with; below 0 when a batch was larger than what was left. */
  get freeBytes(): number {
    return this.#windowBytes - this.#heldBytes;
  }

  /** It pushes from here on, having been given `freeBytes`. */
  connected(connection: FetchConnection): void {
    this.#connection = connection;
  }

  arrived(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /** Taken by the application, or thrown away: whoever pushes now may push as much again. */
  left(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#connection?.giveCredit(bytes);
  }
}
