// How a client makes itself known and whom it trusts: Kafka's names, so that a `client.properties` can be brought along.

import type { Config, ConfigRule } from './config.ts';
import { oneOf, password, string } from './descriptor.ts';
import { isSasl, isTls, securityProtocols } from './security-protocol.ts';
import { tlsElsewhere, tlsSpecs } from './tls-configs.ts';
import { scramMechanisms } from '../scram.ts';

const scope = 'client';

const badJaas = {
  cause: 'names no user and password',
  remedy: 'Give ScramLoginModule required username="..." password="...";',
};

/** What a JAAS line says, or undefined. A quote or a backslash within a value has a backslash before it. */
export function jaasLogin(line: string): { readonly user: string; readonly password: string } | undefined {
  const valueOf = (name: string): string | undefined =>
    new RegExp(`\\b${name}\\s*=\\s*"((?:[^"\\\\]|\\\\.)*)"`).exec(line)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const user = valueOf('username');
  const secret = valueOf('password');
  if (user === undefined || secret === undefined || !/\bScramLoginModule\s+required\b/.test(line))
    return undefined;
  return { user, password: secret };
}

/** The user and password that were given, in either way. */
export function saslLogin(config: ClientSecurityConfig): {
  readonly user: string;
  readonly password: string;
} {
  const jaas = config.get('sasl.jaas.config');
  const said = jaas === '' ? undefined : jaasLogin(jaas);
  return said ?? { user: config.get('sasl.username'), password: config.get('sasl.password') };
}

export const clientSecuritySpecs = {
  'security.protocol': oneOf(securityProtocols, 'PLAINTEXT', {
    scope,
    doc: 'What the brokers’ listener speaks: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT or SASL_SSL (with a user name and a password).',
  }),
  'sasl.mechanism': oneOf(scramMechanisms, 'SCRAM-SHA-256', {
    scope,
    doc: 'How the client proves that it knows its password, without sending it.',
  }),
  'sasl.username': string('', { scope, own: true, doc: 'The user, with a SASL security protocol.' }),
  'sasl.password': password('', { scope, own: true, doc: 'The user’s password.' }),
  'sasl.jaas.config': password('', {
    scope,
    check: (value) => (value === '' || jaasLogin(value as string) !== undefined ? undefined : badJaas),
    doc: 'User and password as Kafka’s clients have them: `org.apache.kafka.common.security.scram.ScramLoginModule required username="..." password="...";`',
  }),
  ...tlsSpecs(scope),
};
export type ClientSecurityConfig = Config<typeof clientSecuritySpecs>;

export const clientSecurityElsewhere: Readonly<Record<string, string>> = tlsElsewhere;

const tlsKeys = ['ssl.keystore.location', 'ssl.keystore.key.location', 'ssl.truststore.location'] as const;

/** A certificate that is not used is a mistake: what was meant to be secret goes over the wire in the clear. */
export const clientSecurityRule: ConfigRule<typeof clientSecuritySpecs> = (config) => {
  const protocol = config.get('security.protocol');
  const { user, password: secret } = saslLogin(config);
  if (isSasl(protocol) && (user === '' || secret === '')) {
    const remedy = 'Set sasl.username and sasl.password, or sasl.jaas.config.';
    return [config.problem('security.protocol', `is ${protocol}, but there is no user and password`, remedy)];
  }
  if (!isSasl(protocol) && user !== '') {
    const cause = `is ${protocol}, but a user is named`;
    return [config.problem('security.protocol', cause, 'Set security.protocol=SASL_SSL.')];
  }
  if (isTls(protocol)) return [];
  const given = tlsKeys.find((key) => config.get(key) !== '');
  if (given === undefined) return [];
  const cause = `is ${protocol}, but ${given} is set`;
  return [config.problem('security.protocol', cause, 'Set security.protocol=SSL, or SASL_SSL.')];
};
