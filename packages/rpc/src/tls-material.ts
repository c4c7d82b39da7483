// Certificates and keys out of PEM files, checked as far as one side can check them, and the name a certificate gives its holder.
// Node reads the files again whenever it is asked to, so that they can be replaced while the process runs.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';

export interface TlsFiles {
  /** The certificate of this side and those up to the root; the private key too, unless it is in `key`. Empty: none. */
  readonly keystore: string;
  readonly key: string;
  readonly keyPassword: string;
  /** The authorities that are trusted. Empty: those Node brings along. */
  readonly truststore: string;
  readonly versions: readonly ('TLSv1.2' | 'TLSv1.3')[];
}

export interface TlsMaterial {
  readonly context: SecureContext;
  /** What `context` was made of: a `tls.Server` takes no context. */
  readonly pem: {
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly passphrase: string | undefined;
    readonly ca: string | undefined;
    readonly minVersion: SecureVersion;
    readonly maxVersion: SecureVersion;
  };
  /** The certificate this side shows; undefined where it has none. */
  readonly certificate: X509Certificate | undefined;
}

/** A file that is not there or does not hold what it should: the file, and what is wrong with it. */
export class TlsMaterialError extends Error {
  override readonly name = 'TlsMaterialError';
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TlsMaterialError(`${what} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function block(pem: string, file: string, kind: RegExp, what: string): string {
  if (kind.test(pem)) return pem;
  throw new TlsMaterialError(`${file} holds no ${what}: a PEM file has a line "-----BEGIN ..." before it`);
}

/** Throws `TlsMaterialError`. */
export function readTlsMaterial(files: TlsFiles): TlsMaterial {
  const store = files.keystore === '' ? undefined : read(files.keystore, 'the certificate');
  const keyFile = files.key === '' ? files.keystore : files.key;
  const key = store === undefined ? undefined : files.key === '' ? store : read(files.key, 'the private key');
  if (store !== undefined) block(store, files.keystore, /-----BEGIN CERTIFICATE-----/, 'certificate');
  if (key !== undefined) block(key, keyFile, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'private key');
  const ca = files.truststore === '' ? undefined : read(files.truststore, 'the trusted authorities');
  if (ca !== undefined) block(ca, files.truststore, /-----BEGIN CERTIFICATE-----/, 'certificate');
  const [minVersion, maxVersion] = [
    files.versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3',
    files.versions.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
  ] as const;
  const passphrase = files.keyPassword === '' ? undefined : files.keyPassword;
  const pem = { cert: store, key, passphrase, ca, minVersion, maxVersion };
  try {
    const certificate = store === undefined ? undefined : new X509Certificate(store);
    return { context: createSecureContext(pem), pem, certificate };
  } catch (cause) {
    const named = [files.keystore, keyFile, files.truststore].filter((file) => file !== '');
    throw new TlsMaterialError(`${[...new Set(named)].join(', ')}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * The subject of a certificate as RFC 2253 writes it, most specific first: `CN=node-1,O=Example`. Node writes one attribute a line,
 * the other way round, with what would be mistaken for a separator escaped.
 */
export function subjectOf(certificate: X509Certificate): string {
  // Typed as a string; of a certificate without a subject it is undefined.
  const subject = certificate.subject as string | undefined;
  return (subject ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .reverse()
    .join(',');
}
