// Who was turned away, and who was held back. Counted where it is decided; there is a row for each reason from the start on.

import type { Exposition } from './exposition.ts';

export type RefusedCall = 'unauthenticated' | 'denied' | 'not-a-node';

export class SecurityMetrics {
  readonly #refusedCalls: Record<RefusedCall, number> = { unauthenticated: 0, denied: 0, 'not-a-node': 0 };
  readonly #throttled = new Map<string, number>();
  readonly authentications = { succeeded: 0, failed: 0 };
  /** Connections whose TLS handshake failed, by either side's doing. */
  refusedHandshakes = 0;

  refusedCall(reason: RefusedCall): void {
    this.#refusedCalls[reason] += 1;
  }

  /** A call, or a stream for a while, was held back or refused by a quota. */
  throttled(quota: string): void {
    this.#throttled.set(quota, (this.#throttled.get(quota) ?? 0) + 1);
  }

  write(page: Exposition): void {
    const family = (name: string, help: string, label: string, rows: Iterable<[string, number]>): void =>
      page.family(
        name,
        'counter',
        help,
        [...rows].map(([value, count]) => `${name}{${label}="${value}"} ${count}`),
      );
    family(
      'tidemark_authentications_total',
      'Users who have proved themselves by SCRAM, or have not.',
      'result',
      Object.entries(this.authentications),
    );
    family(
      'tidemark_refused_calls_total',
      'Calls, and things that calls name, refused for who asks.',
      'reason',
      Object.entries(this.#refusedCalls),
    );
    family(
      'tidemark_throttled_total',
      'Calls and streams that a quota has held back or refused.',
      'quota',
      this.#throttled,
    );
    const handshakes = 'tidemark_refused_handshakes_total';
    page.family(handshakes, 'counter', 'TLS connections that were refused.', [
      `${handshakes} ${this.refusedHandshakes}`,
    ]);
  }
}
