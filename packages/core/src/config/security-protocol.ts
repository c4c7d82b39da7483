// What is spoken on a listener below gRPC: `listener.security.protocol.map`, by Kafka's names. A listener that is not named there is
// PLAINTEXT. SSL is TLS; SASL_ says that callers name themselves by SCRAM, on top of TLS or, where nobody else listens, without.

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export type SecurityProtocol = (typeof securityProtocols)[number];

export const isTls = (protocol: SecurityProtocol): boolean => protocol.endsWith('SSL');
export const isSasl = (protocol: SecurityProtocol): boolean => protocol.startsWith('SASL_');

const EXAMPLE = 'Give NAME:PROTOCOL[,NAME:PROTOCOL...], for example CLIENT:SSL,PEER:SSL.';

function isProtocol(text: string): text is SecurityProtocol {
  return (securityProtocols as readonly string[]).includes(text);
}

/** For values that `checkProtocolMap` has accepted. */
export function protocolMapOf(members: readonly string[]): ReadonlyMap<string, SecurityProtocol> {
  return new Map(
    members.map((member) => {
      const [name = '', protocol = ''] = member.split(':', 2).map((part) => part.trim().toUpperCase());
      return [name, protocol as SecurityProtocol];
    }),
  );
}

export function checkProtocolMap(members: readonly string[]): { cause: string; remedy: string } | undefined {
  const names = new Set<string>();
  for (const member of members) {
    const match = /^\s*([A-Za-z][A-Za-z0-9_]*)\s*:\s*([A-Za-z_]+)\s*$/.exec(member);
    if (match === null) return { cause: `${JSON.stringify(member)} names no protocol`, remedy: EXAMPLE };
    const name = match[1]!.toUpperCase();
    const protocol = match[2]!.toUpperCase();
    if (!isProtocol(protocol)) {
      return {
        cause: `${JSON.stringify(match[2])} is no security protocol`,
        remedy: `Give one of ${securityProtocols.join(', ')}.`,
      };
    }
    if (names.has(name)) return { cause: `names ${name} twice`, remedy: EXAMPLE };
    names.add(name);
  }
  return undefined;
}
