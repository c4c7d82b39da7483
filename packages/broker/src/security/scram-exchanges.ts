// The serving side of SCRAM: exchanges between their two requests. A user who does not exist is answered like one who does, with a salt
// that is always the same for the name, on every node, and made of a secret of the cluster; only the proof then fails.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { DECOY_KEY, scramCredential, type AccessImage, type ScramCredential } from '@tidemark/controller';
import { type Clock, scramHash, type ScramMechanism } from '@tidemark/core';
import {
  finishExchange,
  newNonce,
  ScramError,
  serverFirstMessage,
  type ClientFirst,
  type ServerExchange,
} from '@tidemark/rpc';

/** Kafka's default; what decoys and, unless asked otherwise, users have. */
const DECOY_ITERATIONS = 4096;
/** How long the second request may take. */
const EXCHANGE_MS = 10_000;
/** Exchanges under way, and of one address: what somebody can make the node remember. */
const MAX_EXCHANGES = 10_000;
const MAX_PER_ADDRESS = 256;

interface Exchange {
  readonly server: ServerExchange;
  readonly user: string;
  /** Undefined for a user who does not exist. */
  readonly credential: ScramCredential | undefined;
  readonly address: string;
  readonly endsAtMs: number;
}

export interface StartedExchange {
  readonly exchangeId: string;
  readonly serverFirst: Buffer;
}

export interface FinishedExchange {
  readonly credential: ScramCredential;
  readonly serverFinal: Buffer;
}

export class ScramExchanges {
  readonly #clock: Clock;
  readonly #access: () => AccessImage;
  /** In the order they began. */
  readonly #exchanges = new Map<string, Exchange>();
  readonly #perAddress = new Map<string, number>();
  /** Until the cluster has a secret of its own: there is no user then. */
  readonly #ownSecret = randomBytes(32);

  constructor(clock: Clock, access: () => AccessImage) {
    this.#clock = clock;
    this.#access = access;
  }

  /** Undefined when too many are under way. */
  start(mechanism: ScramMechanism, first: ClientFirst, address: string): StartedExchange | undefined {
    this.#forgetOld();
    const mine = this.#perAddress.get(address) ?? 0;
    if (mine >= MAX_PER_ADDRESS || this.#exchanges.size >= MAX_EXCHANGES) return undefined;
    const { user, nonce: theirs, bare } = first;
    const credential = scramCredential(this.#access(), user, mechanism);
    const keys = credential ?? this.#decoy(user, mechanism);
    const nonce = theirs + newNonce();
    const serverFirst = serverFirstMessage(nonce, keys);
    const exchangeId = randomBytes(16).toString('base64url');
    this.#exchanges.set(exchangeId, {
      server: { mechanism, clientFirstBare: bare, serverFirst, nonce, keys },
      user,
      credential,
      address,
      endsAtMs: this.#clock.monotonicMs() + EXCHANGE_MS,
    });
    this.#perAddress.set(address, mine + 1);
    return { exchangeId, serverFirst: Buffer.from(serverFirst) };
  }

  /** Whom an exchange under way is about. Throws `ScramError` for an exchange that is not. */
  userOf(exchangeId: string): string {
    this.#forgetOld();
    const exchange = this.#exchanges.get(exchangeId);
    if (exchange === undefined) throw new ScramError('the exchange is over, or never began');
    return exchange.user;
  }

  /** Undefined when the client has not proved itself, whyever. Throws `ScramError` for an exchange that is not. */
  finish(exchangeId: string, clientFinal: Uint8Array): FinishedExchange | undefined {
    this.#forgetOld();
    const exchange = this.#exchanges.get(exchangeId);
    if (exchange === undefined) throw new ScramError('the exchange is over, or never began');
    this.#forget(exchangeId, exchange);
    let serverFinal: Buffer | undefined;
    try {
      serverFinal = finishExchange(exchange.server, clientFinal);
    } catch (thrown) {
      if (!(thrown instanceof ScramError)) throw thrown;
    }
    const { credential } = exchange;
    return serverFinal === undefined || credential === undefined ? undefined : { credential, serverFinal };
  }

  #decoy(user: string, mechanism: ScramMechanism) {
    const secret = this.#access().scram.get(DECOY_KEY)?.salt ?? this.#ownSecret;
    const salt = createHmac('sha256', secret).update(`${mechanism}\0${user}`).digest().subarray(0, 24);
    // Keys that no proof fits, as long as real ones.
    const storedKey = createHash(scramHash[mechanism]).update(this.#ownSecret).digest();
    return { salt, iterations: DECOY_ITERATIONS, storedKey, serverKey: storedKey };
  }

  #forgetOld(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [id, exchange] of this.#exchanges) {
      if (exchange.endsAtMs > nowMs) return;
      this.#forget(id, exchange);
    }
  }

  #forget(id: string, { address }: Exchange): void {
    this.#exchanges.delete(id);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left <= 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
  }
}
