// Whether the node is fit to serve, and if not why. `/readyz` and grpc.health.v1 both speak from here.

import type { HealthRegistry } from '@tidemark/rpc';

export class Readiness {
  readonly #reasons = new Map<string, string>();
  readonly #health: HealthRegistry;

  constructor(health: HealthRegistry) {
    this.#health = health;
  }

  /** Takes the node out of service for a reason that has a name, e.g. `starting`, `draining`, `log-folder`. */
  block(name: string, reason: string): void {
    this.#reasons.set(name, reason);
    this.#health.setAll('NOT_SERVING');
  }

  clear(name: string): void {
    if (!this.#reasons.delete(name)) return;
    if (this.#reasons.size === 0) this.#health.setAll('SERVING');
  }

  get ready(): boolean {
    return this.#reasons.size === 0;
  }

  get reasons(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#reasons);
  }
}
