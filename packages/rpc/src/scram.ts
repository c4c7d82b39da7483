// SCRAM (RFC 5802, RFC 7677): the messages and the arithmetic, of both sides. Who a user is and what happens to an exchange is the
// caller's business. No channel binding, as in Kafka; names are escaped, passwords are UTF-8 as they are.

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { scramHash, scramKeyBytes, type ScramMechanism } from '@tidemark/core';

const GS2_HEADER = 'n,,';
/** Base64 of the header: what a client without channel binding says it bound. */
const CHANNEL_BINDING = 'biws';
/** No message of either side needs more. */
const MAX_MESSAGE = 4096;
/** What a client does for a server it does not know yet; Kafka's highest number, and some. */
const MAX_ITERATIONS = 65_536;

/** A message that is none, or does not belong to the exchange. What is wrong with it is not for the other side to know. */
export class ScramError extends Error {
  override readonly name = 'ScramError';
}

const hmac = (mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer =>
  createHmac(scramHash[mechanism], key).update(text).digest();
const digest = (mechanism: ScramMechanism, bytes: Uint8Array): Buffer =>
  createHash(scramHash[mechanism]).update(bytes).digest();

const derive = promisify(pbkdf2);

export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

function saltedPassword(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  return derive(password, salt, iterations, scramKeyBytes[mechanism], scramHash[mechanism]);
}

/** What a server is to keep of a password. */
export async function scramKeysOf(
  mechanism: ScramMechanism,
  password: string,
  iterations: number,
  salt: Uint8Array = randomBytes(24),
): Promise<ScramKeys> {
  const salted = await saltedPassword(mechanism, password, salt, iterations);
  return {
    salt,
    iterations,
    storedKey: digest(mechanism, hmac(mechanism, salted, 'Client Key')),
    serverKey: hmac(mechanism, salted, 'Server Key'),
  };
}

const escapeName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C');

function unescapeName(text: string): string {
  if (/=(?!2C|3D)/.test(text)) throw new ScramError('a name is not escaped');
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function textOf(message: Uint8Array): string {
  if (message.length === 0 || message.length > MAX_MESSAGE)
    throw new ScramError('a message has no fitting length');
  return Buffer.from(message).toString('utf8');
}

/** The attributes in the order they must have; further ones may follow, an extension that is mandatory may not be there. */
function attributes(text: string, names: readonly string[]): readonly string[] {
  const parts = text.split(',');
  if (parts.some((part) => part.startsWith('m='))) throw new ScramError('an extension is not known');
  return names.map((name, at) => {
    const part = parts[at];
    if (part === undefined || !part.startsWith(`${name}=`))
      throw new ScramError(`attribute ${name} is missing`);
    return part.slice(2);
  });
}

function base64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw new ScramError('a value is not base64');
  return bytes;
}

/** Visible ASCII without a comma. */
const isNonce = (nonce: string): boolean => nonce.length <= 256 && /^[\x21-\x2b\x2d-\x7e]+$/.test(nonce);

export const newNonce = (): string => randomBytes(24).toString('base64');

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.alloc(a.length);
  for (let at = 0; at < a.length; at++) out[at] = a[at]! ^ b[at]!;
  return out;
}

/** The calling side of one exchange. Throws `ScramError`. */
export class ScramClient {
  readonly #mechanism: ScramMechanism;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | undefined;

  constructor(mechanism: ScramMechanism, user: string, password: string, nonce: string = newNonce()) {
    this.#mechanism = mechanism;
    this.#password = password;
    this.#nonce = nonce;
    this.#firstBare = `n=${escapeName(user)},r=${nonce}`;
  }

  get first(): Buffer {
    return Buffer.from(GS2_HEADER + this.#firstBare);
  }

  async final(serverFirst: Uint8Array): Promise<Buffer> {
    const text = textOf(serverFirst);
    const [nonce = '', salt = '', count = ''] = attributes(text, ['r', 's', 'i']);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ScramError('the server answers another exchange');
    }
    const iterations = /^\d{1,6}$/.test(count) ? Number(count) : 0;
    if (iterations < 4096 || iterations > MAX_ITERATIONS)
      throw new ScramError(`${count} iterations are refused`);
    const salted = await saltedPassword(this.#mechanism, this.#password, base64(salt), iterations);
    const clientKey = hmac(this.#mechanism, salted, 'Client Key');
    const withoutProof = `c=${CHANNEL_BINDING},r=${nonce}`;
    const authMessage = `${this.#firstBare},${text},${withoutProof}`;
    const signature = hmac(this.#mechanism, digest(this.#mechanism, clientKey), authMessage);
    this.#serverSignature = hmac(this.#mechanism, hmac(this.#mechanism, salted, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${xor(clientKey, signature).toString('base64')}`);
  }

  /** Whether the server has shown that it knows the credential. */
  isServer(serverFinal: Uint8Array): boolean {
    const [signature = ''] = attributes(textOf(serverFinal), ['v']);
    const shown = base64(signature);
    const expected = this.#serverSignature;
    return expected !== undefined && shown.length === expected.length && timingSafeEqual(shown, expected);
  }
}

export interface ClientFirst {
  readonly user: string;
  readonly nonce: string;
  readonly bare: string;
}

/** Throws `ScramError`. A client that wants channel binding, or to act for another, is refused. */
export function parseClientFirst(message: Uint8Array): ClientFirst {
  const text = textOf(message);
  if (!text.startsWith(GS2_HEADER) && !text.startsWith('y,,')) throw new ScramError('the header is not n,,');
  const bare = text.slice(GS2_HEADER.length);
  const [name = '', nonce = ''] = attributes(bare, ['n', 'r']);
  if (!isNonce(nonce)) throw new ScramError('the nonce is none');
  const user = unescapeName(name);
  if (user === '') throw new ScramError('the name is empty');
  return { user, nonce, bare };
}

export function serverFirstMessage(
  nonce: string,
  { salt, iterations }: Pick<ScramKeys, 'salt' | 'iterations'>,
): string {
  return `r=${nonce},s=${Buffer.from(salt).toString('base64')},i=${iterations}`;
}

export interface ServerExchange {
  readonly mechanism: ScramMechanism;
  readonly clientFirstBare: string;
  readonly serverFirst: string;
  /** The client's and the server's. */
  readonly nonce: string;
  readonly keys: Pick<ScramKeys, 'storedKey' | 'serverKey'>;
}

/**
 * The `server-final-message` for a client that has proved that it knows the password, undefined for one that has not. Takes as long
 * either way. Throws `ScramError`.
 */
export function finishExchange(exchange: ServerExchange, message: Uint8Array): Buffer | undefined {
  const { mechanism, clientFirstBare, serverFirst, nonce, keys } = exchange;
  const text = textOf(message);
  const [binding = '', theirs = '', proofText = ''] = attributes(text, ['c', 'r', 'p']);
  const proof = base64(proofText);
  // `y,,` in base64: the client could bind and thinks that we cannot, which is so.
  const isBound = binding === CHANNEL_BINDING || binding === 'eSws';
  if (!isBound || theirs !== nonce || proof.length !== scramKeyBytes[mechanism])
    throw new ScramError('does not fit');
  const authMessage = `${clientFirstBare},${serverFirst},c=${binding},r=${theirs}`;
  const clientKey = xor(proof, hmac(mechanism, keys.storedKey, authMessage));
  const isRight = timingSafeEqual(digest(mechanism, clientKey), keys.storedKey);
  const signature = hmac(mechanism, keys.serverKey, authMessage);
  return isRight ? Buffer.from(`v=${signature.toString('base64')}`) : undefined;
}
