// `controller.quorum.voters`: `id@host:port`, separated by commas, as in Kafka. The ids are node ids, the addresses those of the
// PEER listeners. What stands there is the quorum's beginning; who votes later is decided in the metadata log.

import { hostAndPort } from './listeners.ts';

export interface ConfiguredVoter {
  readonly nodeId: number;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/** As many as a quorum may have: `MAX_VOTERS` of the raft package. */
export const MAX_CONFIGURED_VOTERS = 9;

export type ParsedVoter =
  | { readonly ok: true; readonly voter: ConfiguredVoter }
  | { readonly ok: false; readonly cause: string; readonly remedy: string };

const SYNTAX = /^(\d{1,10})@(\[[0-9a-fA-F:.]+\]|[^:/@\s]+):(\d{1,5})$/;
const MAX_NODE_ID = 2 ** 31 - 1;

export function parseVoter(text: string): ParsedVoter {
  const match = SYNTAX.exec(text);
  if (match === null) {
    const cause = `${JSON.stringify(text)} is not a voter`;
    return { ok: false, cause, remedy: 'Give id@host:port, for example 1@node-1:9291.' };
  }
  const nodeId = Number(match[1]);
  if (nodeId > MAX_NODE_ID) {
    return { ok: false, cause: `node id ${nodeId} does not exist`, remedy: `Give 0 to ${MAX_NODE_ID}.` };
  }
  const port = Number(match[3]);
  if (port < 1 || port > 65535) {
    const remedy = 'Give the port of the node’s PEER listener, 1 to 65535.';
    return { ok: false, cause: `port ${port} does not exist`, remedy };
  }
  const host = match[2]!.replace(/^\[|\]$/g, '');
  if (host === '0.0.0.0' || host === '::') {
    const cause = `voter ${nodeId} has the address "${host}", which is no address anybody can connect to`;
    return { ok: false, cause, remedy: 'Give the host name or address the other nodes reach it at.' };
  }
  return { ok: true, voter: { nodeId, host, port } };
}

/** For values that the config's check has accepted; in the order of their ids. */
export function votersOf(texts: readonly string[]): readonly ConfiguredVoter[] {
  return texts
    .map((text) => {
      const parsed = parseVoter(text);
      if (!parsed.ok) throw new RangeError(`${parsed.cause}. ${parsed.remedy}`);
      return parsed.voter;
    })
    .sort((a, b) => a.nodeId - b.nodeId);
}

/** The key's check: syntax, each id and each address once, and not too many. */
export function checkVoters(
  texts: readonly string[],
): { readonly cause: string; readonly remedy: string } | undefined {
  const addresses = new Map<string, number>();
  const ids = new Set<number>();
  for (const text of texts) {
    const parsed = parseVoter(text);
    if (!parsed.ok) return parsed;
    const { nodeId, host, port } = parsed.voter;
    if (ids.has(nodeId)) {
      return { cause: `names node ${nodeId} twice`, remedy: 'Name each voter once, by its own node.id.' };
    }
    ids.add(nodeId);
    const address = hostAndPort(host, port);
    const other = addresses.get(address);
    if (other !== undefined) {
      const cause = `nodes ${other} and ${nodeId} share ${address}`;
      return { cause, remedy: 'Give each voter the address of its own PEER listener.' };
    }
    addresses.set(address, nodeId);
  }
  if (texts.length <= MAX_CONFIGURED_VOTERS) return undefined;
  const cause = `names ${texts.length} voters; a quorum has at most ${MAX_CONFIGURED_VOTERS}`;
  return { cause, remedy: 'Name 3 or 5; further nodes follow the metadata without a vote.' };
}
