// Whether anybody listens at all. A client keeps trying, as it should in a service; somebody at a terminal who mistyped a port, or has
// not started a server, wants to know now. Only a refusal by every address counts: whatever is slow is left to the client.
import { TidemarkError } from '@tidemark/core';
import { connect } from 'node:net';

const REFUSALS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EADDRNOTAVAIL', 'ENETUNREACH', 'EHOSTUNREACH']);
const PROBE_MS = 1_000;

/** The code of a refusal, or undefined for anything else. */
function refusal(address: string): Promise<string | undefined> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(address.slice(at + 1)) });
    const answer = (code: string | undefined): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(PROBE_MS, () => answer(undefined));
    socket.on('connect', () => answer(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      answer(error.code !== undefined && REFUSALS.has(error.code) ? error.code : undefined);
    });
  });
}

/** Throws NETWORK_EXCEPTION when every address refuses at once. */
export async function requireListener(addresses: readonly string[]): Promise<void> {
  const codes = await Promise.all(addresses.map(refusal));
  if (codes.some((code) => code === undefined)) return;
  const tried = addresses.map((address, at) => `${address} (${codes[at]!})`).join(', ');
  throw new TidemarkError('NETWORK_EXCEPTION', `no broker listens at ${tried}`);
}
