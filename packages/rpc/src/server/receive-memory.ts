// The memory of requests on their way in, over all connections: what has come of messages that are not whole yet, what they are
// inflated to, and what is whole and not yet read by a handler. Contract: never more than the limit and the piece that came last; at
// the limit whoever holds the most is given up, looked for by address, then by connection, then by call, so that a peer who sends
// what others send is not the one; and nobody waits for anybody, so that pieces of many messages cannot stop each other.

/** What one call holds. `giveUp` ends the call; it calls `end` by itself, then or later. */
export interface Received {
  readonly address: string;
  /** One object for each connection. */
  readonly connection: object;
  giveUp(): void;
}

class Holder<Key> {
  readonly of = new Map<Key, number>();

  add(key: Key, bytes: number): void {
    const sum = (this.of.get(key) ?? 0) + bytes;
    if (sum > 0) this.of.set(key, sum);
    else this.of.delete(key);
  }

  /** Who holds the most among those that are asked about. */
  largest(among: (key: Key) => boolean): Key | undefined {
    let found: Key | undefined;
    let most = 0;
    for (const [key, bytes] of this.of) {
      if (bytes <= most || !among(key)) continue;
      found = key;
      most = bytes;
    }
    return found;
  }
}

const ALL = (): boolean => true;

export class ReceiveMemory {
  readonly #limitBytes: number;
  readonly #addresses = new Holder<string>();
  readonly #connections = new Holder<object>();
  readonly #calls = new Holder<Received>();
  readonly #addressOf = new WeakMap<object, string>();
  #usedBytes = 0;
  #givenUp = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Calls given up because this was full. */
  get givenUpCount(): number {
    return this.#givenUp;
  }

  /** So many bytes more, or, below 0, fewer. Beyond the limit calls are given up, this one or others. */
  change(call: Received, bytes: number): void {
    if (bytes === 0) return;
    this.#addressOf.set(call.connection, call.address);
    this.#add(call, bytes);
    while (bytes > 0 && this.#usedBytes > this.#limitBytes) {
      const address = this.#addresses.largest(ALL);
      const connection = this.#connections.largest((each) => this.#addressOf.get(each) === address);
      const largest = this.#calls.largest((each) => each.connection === connection);
      if (largest === undefined) return;
      this.#givenUp += 1;
      this.end(largest);
      largest.giveUp();
    }
  }

  /** The call holds nothing any more. */
  end(call: Received): void {
    const held = this.#calls.of.get(call);
    if (held !== undefined) this.#add(call, -held);
  }

  #add(call: Received, bytes: number): void {
    this.#usedBytes += bytes;
    this.#calls.add(call, bytes);
    this.#connections.add(call.connection, bytes);
    this.#addresses.add(call.address, bytes);
  }
}
