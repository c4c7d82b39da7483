// How a client makes itself known and whom it trusts: Kafka's names, so that a `client.properties` can be brought along.

import type { Config, ConfigRule } from './config.ts';
import { oneOf } from './descriptor.ts';
import { isTls, securityProtocols } from './security-protocol.ts';
import { tlsElsewhere, tlsSpecs } from './tls-configs.ts';

const scope = 'client';

export const clientSecuritySpecs = {
  'security.protocol': oneOf(securityProtocols, 'PLAINTEXT', {
    scope,
    doc: 'What the brokers’ listener speaks: PLAINTEXT, or SSL, which is TLS.',
  }),
  ...tlsSpecs(scope),
};
export type ClientSecurityConfig = Config<typeof clientSecuritySpecs>;

export const clientSecurityElsewhere: Readonly<Record<string, string>> = tlsElsewhere;

const tlsKeys = ['ssl.keystore.location', 'ssl.keystore.key.location', 'ssl.truststore.location'] as const;

/** A certificate that is not used is a mistake: what was meant to be secret goes over the wire in the clear. */
export const clientSecurityRule: ConfigRule<typeof clientSecuritySpecs> = (config) => {
  if (isTls(config.get('security.protocol'))) return [];
  const given = tlsKeys.find((key) => config.get(key) !== '');
  if (given === undefined) return [];
  const cause = `is ${config.get('security.protocol')}, but ${given} is set`;
  return [config.problem('security.protocol', cause, 'Set security.protocol=SSL.')];
};
