// Requests to a group coordinator that wait for their answer. Contract: each is settled once; one whose client has gone is forgotten,
// and what is answered to it later goes nowhere. How many wait is bounded by whoever adds.

import type { Failure } from '@tidemark/core';
import type { GroupReply, RequestId } from '@tidemark/group';

export type Response = GroupReply['response'];

export interface Parked {
  readonly requestId: RequestId;
  readonly answer: Promise<Response>;
}

export class ParkedRequests {
  readonly #waiting = new Map<RequestId, { readonly resolve: (response: Response) => void; bytes: number }>();
  #nextId = 1;
  #bytes = 0;

  get count(): number {
    return this.#waiting.size;
  }

  /** Of what they carry. */
  get bytes(): number {
    return this.#bytes;
  }

  park(bytes: number): Parked {
    const requestId = this.#nextId++ as RequestId;
    const answer = new Promise<Response>((resolve) => this.#waiting.set(requestId, { resolve, bytes }));
    this.#bytes += bytes;
    return { requestId, answer };
  }

  answer(replies: readonly GroupReply[]): void {
    for (const { requestId, response } of replies) this.#settle(requestId, response);
  }

  /** Nobody waits for it any more. */
  abandon(requestId: RequestId, why: Failure): void {
    this.#settle(requestId, why);
  }

  #settle(requestId: RequestId, response: Response): void {
    const waiting = this.#waiting.get(requestId);
    if (waiting === undefined) return;
    this.#waiting.delete(requestId);
    this.#bytes -= waiting.bytes;
    waiting.resolve(response);
  }
}
