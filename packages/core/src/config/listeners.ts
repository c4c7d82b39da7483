// `listeners` and `advertised.listeners`: `NAME://host:port`, separated by commas. The name says what is spoken there:
// CLIENT (clients), PEER (other nodes), HTTP (metrics, health). Further client listeners carry a suffix, `CLIENT_HOST`,
// so that clients inside and outside a container network can each be told an address they reach.

export type ListenerKind = 'CLIENT' | 'PEER' | 'HTTP';

export interface Listener {
  readonly name: string;
  readonly kind: ListenerKind;
  /** `0.0.0.0` or `::` for every interface. Without the brackets of an IPv6 address. */
  readonly host: string;
  /** 0 when the system chooses. */
  readonly port: number;
}

export type ParsedListener =
  | { readonly ok: true; readonly listener: Listener }
  | { readonly ok: false; readonly cause: string; readonly remedy: string };

const SYNTAX = /^([A-Za-z]+)(_[A-Za-z0-9_]+)?:\/\/(\[[0-9a-fA-F:.]+\]|[^:/\s]*):(\d{1,5})$/;
const EXAMPLE = 'Give NAME://host:port, for example CLIENT://0.0.0.0:9290.';

/** An empty host means every interface, as in Kafka. */
export function parseListener(text: string): ParsedListener {
  const match = SYNTAX.exec(text);
  if (match === null) {
    return { ok: false, cause: `${JSON.stringify(text)} is not a listener`, remedy: EXAMPLE };
  }
  const kind = match[1]!.toUpperCase();
  if (kind !== 'CLIENT' && kind !== 'PEER' && kind !== 'HTTP') {
    const cause = `${JSON.stringify(match[1])} is not a kind of listener`;
    return {
      ok: false,
      cause,
      remedy: 'Name it CLIENT, PEER or HTTP; further client listeners CLIENT_<SUFFIX>.',
    };
  }
  const suffix = match[2]?.toUpperCase() ?? '';
  if (suffix !== '' && kind !== 'CLIENT') {
    return {
      ok: false,
      cause: `${kind} can have no suffix`,
      remedy: 'There is one PEER and one HTTP listener.',
    };
  }
  const port = Number(match[4]);
  if (port > 65535) {
    return {
      ok: false,
      cause: `port ${port} does not exist`,
      remedy: 'Give a port from 1 to 65535, or 0 to let the system choose.',
    };
  }
  const host = match[3]!.replace(/^\[|\]$/g, '');
  return { ok: true, listener: { name: kind + suffix, kind, host: host === '' ? '0.0.0.0' : host, port } };
}

/** For values that the config's check has accepted. */
export function listenersOf(texts: readonly string[]): readonly Listener[] {
  return texts.map((text) => {
    const parsed = parseListener(text);
    if (!parsed.ok) throw new RangeError(`${parsed.cause}. ${parsed.remedy}`);
    return parsed.listener;
  });
}

export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '';
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The check of both keys: syntax, and each name and each fixed port once. */
export function checkListeners(texts: readonly string[]): { cause: string; remedy: string } | undefined {
  const names = new Set<string>();
  const ports = new Map<string, string>();
  for (const text of texts) {
    const parsed = parseListener(text);
    if (!parsed.ok) return parsed;
    const { name, host, port } = parsed.listener;
    if (names.has(name)) {
      return {
        cause: `names ${name} twice`,
        remedy: 'Give each listener a name of its own: CLIENT_<SUFFIX>.',
      };
    }
    names.add(name);
    const address = hostAndPort(host, port);
    const other = ports.get(address);
    if (port !== 0 && other !== undefined) {
      return { cause: `${other} and ${name} share ${address}`, remedy: 'Give each listener its own port.' };
    }
    ports.set(address, name);
  }
  return undefined;
}

/**
 * What the node tells others to reach it at, one address for each of `listeners`: as advertised; else as bound; else, where
 * bound to every interface, under `hostName`. `boundPorts` has the ports by listener name once they are known; port 0
 * stands for the bound one.
 */
export function advertisedListeners(
  listeners: readonly Listener[],
  advertised: readonly Listener[],
  hostName: string,
  boundPorts: ReadonlyMap<string, number>,
): readonly Listener[] {
  return listeners.map((listener) => {
    const bound = boundPorts.get(listener.name) ?? listener.port;
    const told = advertised.find(({ name }) => name === listener.name);
    if (told !== undefined) return { ...told, port: told.port === 0 ? bound : told.port };
    return { ...listener, port: bound, host: isWildcardHost(listener.host) ? hostName : listener.host };
  });
}
