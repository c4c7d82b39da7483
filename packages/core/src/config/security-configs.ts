// The configuration of who may speak to a node: the protocol of each listener, its certificates, who counts as a node. Every `ssl.`
// key may be given for one listener alone, as `listener.name.<listener in small letters>.<key>` (KIP-103).

import type { BrokerConfig } from './broker-configs.ts';
import {
  boolean,
  int,
  list,
  long,
  oneOf,
  string,
  type ConfigSpec,
  type ConfigValue,
  type ValueOf,
} from './descriptor.ts';
import { listenersOf, type Listener } from './listeners.ts';
import { checkPrincipalPatterns, checkPrincipals } from './principals.ts';
import { checkMappingRules } from './principal-mapping.ts';
import type { ConfigProblem } from './problem.ts';
import {
  checkProtocolMap,
  isSasl,
  isTls,
  protocolMapOf,
  type SecurityProtocol,
} from './security-protocol.ts';
import { tlsElsewhere, tlsSpecs } from './tls-configs.ts';
import { scramMechanisms, type ScramMechanism } from '../scram.ts';

const listenerSpecs = {
  ...tlsSpecs('broker'),
  'ssl.client.auth': oneOf(['none', 'requested', 'required'], 'none', {
    doc: 'Whether a client shows a certificate: `required` refuses one that does not, `requested` takes one that does not for ANONYMOUS. One that does not hold is refused either way.',
  }),
  'ssl.principal.mapping.rules': string('DEFAULT', {
    check: (value) => checkMappingRules(value as string),
    doc: 'Makes a principal of the subject of a client’s certificate: rules `RULE:pattern/replacement/[LU]` and `DEFAULT` (the whole subject, `CN=...,O=...`), separated by commas; the first that matches counts.',
  }),
};

export const securitySpecs = {
  'listener.security.protocol.map': list([], {
    check: (value: ConfigValue) => checkProtocolMap(value as readonly string[]),
    doc: 'What is spoken on each listener, `NAME:PROTOCOL`: PLAINTEXT, SSL (TLS), SASL_PLAINTEXT or SASL_SSL. A listener that is not named is PLAINTEXT. On SASL ones callers name themselves by SCRAM; nodes know each other by certificates, so PEER is PLAINTEXT or SSL.',
  }),
  ...listenerSpecs,
  'node.principals': string('', {
    own: true,
    check: (value) => checkPrincipalPatterns(value as string),
    doc: 'Who counts as a node, by the principal of the certificate, separated by semicolons: `User:CN=node-1,O=Example;User:CN=node-2,O=Example`. A `*` at the end stands for any rest. Needed where PEER is SSL: anybody else with a certificate of the same authority is refused there.',
  }),
  'sasl.enabled.mechanisms': list<ScramMechanism>(scramMechanisms, {
    values: scramMechanisms,
    doc: 'How callers may name themselves on SASL listeners.',
  }),
  'connections.max.reauth.ms': long(0, {
    unit: 'ms',
    doc: 'How long a caller who has named himself on a SASL listener is known; then streams end and he names himself anew, which clients do by themselves. 0: until the process ends or the credential changes.',
  }),
  'connection.failed.authentication.delay.ms': int(100, {
    max: 10_000,
    unit: 'ms',
    doc: 'How long the answer to a failed authentication is held back.',
  }),
  'authorizer.class.name': string('', {
    check: (value) =>
      value === '' || (value as string).split('.').at(-1) === 'StandardAuthorizer'
        ? undefined
        : { cause: 'is not an authorizer of this version', remedy: 'Give StandardAuthorizer, or nothing.' },
    doc: '`StandardAuthorizer` (with Kafka’s package before it or not): every call is refused that no ACL allows. Empty: everybody may do everything.',
  }),
  'super.users': string('', {
    check: (value) => checkPrincipals(value as string),
    doc: 'Principals who may do everything, separated by semicolons: `User:CN=admin,O=Example;User:admin`.',
  }),
  'allow.everyone.if.no.acl.found': boolean(false, {
    doc: 'Whether a resource that no ACL speaks of is open to everybody.',
  }),
  'ssl.reload.interval.ms': long(10_000, {
    own: true,
    min: 10,
    unit: 'ms',
    doc: 'How often the files with certificates and keys are looked at. What was replaced counts for connections from then on; what cannot be read leaves the old ones in place.',
  }),
};

export type ListenerKey = keyof typeof listenerSpecs;

export const securityElsewhere: Readonly<Record<string, string>> = {
  ...tlsElsewhere,
  'security.inter.broker.protocol': 'Name PEER in listener.security.protocol.map.',
};

/** The row of a key that is given for one listener alone. */
export function listenerSpecOf(name: string): ConfigSpec | undefined {
  const match = /^listener\.name\.[a-z][a-z0-9_]*\.(.+)$/.exec(name);
  const key = match?.[1];
  return key !== undefined && Object.hasOwn(listenerSpecs, key)
    ? listenerSpecs[key as ListenerKey]
    : undefined;
}

const prefixed = (listener: string, key: ListenerKey): string =>
  `listener.name.${listener.toLowerCase()}.${key}`;

/** The listener's own value where it has one, else the node's. */
export function listenerConfig<K extends ListenerKey>(
  config: BrokerConfig,
  listener: string,
  key: K,
): ValueOf<(typeof listenerSpecs)[K]> {
  const own = config.settingOf(prefixed(listener, key));
  return (own?.value ?? config.get(key)) as ValueOf<(typeof listenerSpecs)[K]>;
}

export function listenerProtocol(config: BrokerConfig, listener: string): SecurityProtocol {
  return protocolMapOf(config.get('listener.security.protocol.map')).get(listener) ?? 'PLAINTEXT';
}

export function securityRule(config: BrokerConfig): readonly ConfigProblem[] {
  const listeners = listenersOf(config.get('listeners'));
  return [...mapProblems(config, listeners), ...listeners.flatMap((each) => listenerProblems(config, each))];
}

const MAP = 'listener.security.protocol.map';

function mapProblems(config: BrokerConfig, listeners: readonly Listener[]): ConfigProblem[] {
  const names = listeners.map(({ name }) => name);
  const aliens = [...protocolMapOf(config.get(MAP)).keys()].filter((name) => !names.includes(name));
  const keys = config.names().flatMap((name) => {
    const listener = /^listener\.name\.([^.]+)\./.exec(name)?.[1]?.toUpperCase();
    return listener === undefined || names.includes(listener) ? [] : [{ name, listener }];
  });
  return [
    ...aliens.map((name) =>
      config.problem(
        MAP,
        `${name} is not among listeners (${names.join(', ')})`,
        'Take it out, or add the listener.',
      ),
    ),
    ...keys.map(({ name, listener }) =>
      config.problemOf(
        name,
        `${listener} is not among listeners (${names.join(', ')})`,
        'Take it out, or add the listener.',
      ),
    ),
  ];
}

function listenerProblems(config: BrokerConfig, { name, kind }: Listener): ConfigProblem[] {
  const protocol = listenerProtocol(config, name);
  const key = (of: ListenerKey): string => prefixed(name, of);
  if (kind === 'HTTP') {
    if (protocol === 'PLAINTEXT') return [];
    return [
      config.problem(
        MAP,
        'metrics and health are served without TLS',
        'Bind HTTP to an address that only operators reach.',
      ),
    ];
  }
  if (kind === 'PEER' && isSasl(protocol)) {
    const remedy = 'Make PEER SSL, and name the nodes in node.principals.';
    return [config.problem(MAP, 'nodes do not know each other by passwords', remedy)];
  }
  if (!isTls(protocol)) return [];
  const problems: ConfigProblem[] = [];
  const auth = listenerConfig(config, name, 'ssl.client.auth');
  if (listenerConfig(config, name, 'ssl.keystore.location') === '') {
    const remedy = `Name the file with its certificate: ssl.keystore.location, or ${key('ssl.keystore.location')}.`;
    problems.push(config.problem(MAP, `${name} speaks TLS and has no certificate`, remedy));
  }
  if (auth !== 'none' && listenerConfig(config, name, 'ssl.truststore.location') === '') {
    const remedy = `Name the file with the authorities: ssl.truststore.location, or ${key('ssl.truststore.location')}.`;
    problems.push(
      config.problem('ssl.client.auth', `${name} asks for certificates and trusts nobody’s`, remedy),
    );
  }
  if (kind === 'PEER' && auth !== 'required') {
    const remedy = `Set ${key('ssl.client.auth')}=required.`;
    problems.push(
      config.problem('ssl.client.auth', 'PEER speaks TLS, but anybody could pose as a node', remedy),
    );
  }
  if (kind === 'PEER' && config.get('node.principals') === '') {
    const remedy = 'Name them, for example User:CN=node-*.';
    const cause = 'is empty, so that anybody with a certificate of the authority could pose as a node';
    problems.push(config.problem('node.principals', cause, remedy));
  }
  return problems;
}
