// Where client settings come from besides `-X`: a properties file, as Kafka's tools take with `--command-config`, and the options for TLS.
import { parseProperties } from '@tidemark/core';
import { readFileSync } from 'node:fs';
import { usageFailure } from './exit.ts';

/** Of Kafka's names, those that say what this command says elsewhere. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(['bootstrap.servers']);

export function commandConfig(file: string | undefined): Readonly<Record<string, string>> {
  if (file === undefined || file === '') return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw usageFailure(`--command-config: ${cause}`, 'name a properties file, e.g. client.properties');
  }
  return Object.fromEntries(
    parseProperties(text)
      .filter(({ name }) => !SAID_ELSEWHERE.has(name))
      .map(({ name, value }) => [name, value]),
  );
}

export interface TlsOptions {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** `file`: what was said in a file; who is named there by a password goes on being so. */
export function tlsSettings(
  { tlsCa, tlsCert, tlsKey }: TlsOptions,
  file: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsKey !== undefined && tlsCert === undefined) {
    throw usageFailure('--tls-key is the key of a certificate, and there is no --tls-cert');
  }
  return {
    'security.protocol': file['security.protocol']?.startsWith('SASL_') === true ? 'SASL_SSL' : 'SSL',
    ...(tlsCa === undefined ? {} : { 'ssl.truststore.location': tlsCa }),
    ...(tlsCert === undefined ? {} : { 'ssl.keystore.location': tlsCert }),
    ...(tlsKey === undefined ? {} : { 'ssl.keystore.key.location': tlsKey }),
  };
}
