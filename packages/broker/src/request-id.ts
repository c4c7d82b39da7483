// The id a request goes by in this node's log and in the answer to a client that met a bug: the client's own `x-request-id`, if it
// sent a plain one, or one made here. Made only when somebody needs it.

import { randomBytes } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

export const REQUEST_ID_KEY = 'x-request-id';

/** What others send ends in log lines: nothing long, and nothing that could be taken for something else. */
const PLAIN = /^[\w.:-]{1,64}$/;

export function requestIdOf(metadata: Metadata): string {
  const [sent] = metadata.get(REQUEST_ID_KEY);
  return typeof sent === 'string' && PLAIN.test(sent) ? sent : randomBytes(8).toString('hex');
}
