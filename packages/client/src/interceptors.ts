// Hooks around a producer's records: before they are sent, and when it is known what became of them. A hook that throws never
// breaks a send: its record goes on as it was, and the error is handed to `onError`.
import type { TidemarkError } from '@tidemark/core';
import type { ProducerRecord } from './producer-record.ts';
import type { Receipt } from './receipt.ts';

export interface ProducerInterceptor<K, V> {
  /** What to send in place of the record, before serializers and partitioner see it. */
  onSend?(record: ProducerRecord<K, V>): ProducerRecord<K, V>;
  /** Exactly one of the two is given. */
  onAcknowledgement?(receipt: Receipt | undefined, error: TidemarkError | undefined): void;
}

export class InterceptorChain<K, V> {
  readonly #interceptors: readonly ProducerInterceptor<K, V>[];
  readonly #onError: (error: unknown) => void;

  constructor(interceptors: readonly ProducerInterceptor<K, V>[], onError: (error: unknown) => void) {
    this.#interceptors = interceptors;
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#interceptors.length === 0;
  }

  onSend(record: ProducerRecord<K, V>): ProducerRecord<K, V> {
    let present = record;
    for (const interceptor of this.#interceptors) {
      try {
        present = interceptor.onSend?.(present) ?? present;
      } catch (error) {
        this.#onError(error);
      }
    }
    return present;
  }

  onAcknowledgement(receipt: Receipt | undefined, error: TidemarkError | undefined): void {
    for (const interceptor of this.#interceptors) {
      try {
        interceptor.onAcknowledgement?.(receipt, error);
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
  }
}
