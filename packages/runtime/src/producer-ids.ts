// Hands out producer ids from blocks the controller gave this broker. An id is never handed out twice: a block is committed to
// the metadata log before its first id is used, and what is left of a block at a restart is thrown away (as in KIP-730).

import { type Failure, isFailure, type ProducerId } from '@tidemark/core';

export interface ProducerIdBlock {
  readonly firstProducerId: number;
  readonly length: number;
}

export class ProducerIds {
  readonly #allocateBlock: () => Promise<ProducerIdBlock | Failure>;
  #next = 0;
  #end = 0;
  #allocating: Promise<Failure | undefined> | undefined;

  constructor(allocateBlock: () => Promise<ProducerIdBlock | Failure>) {
    this.#allocateBlock = allocateBlock;
  }

  async next(): Promise<ProducerId | Failure> {
    while (this.#next >= this.#end) {
      // However many ask at once, one block is asked for.
      this.#allocating ??= this.#refill().finally(() => {
        this.#allocating = undefined;
      });
      const failed = await this.#allocating;
      if (failed !== undefined) return failed;
    }
    return this.#next++ as ProducerId;
  }

  async #refill(): Promise<Failure | undefined> {
    const block = await this.#allocateBlock();
    if (isFailure(block)) return block;
    this.#next = block.firstProducerId;
    this.#end = block.firstProducerId + block.length;
    return undefined;
  }
}
