// One thing at a time, in the order asked for. Contract: a rejection reaches its own caller and does not stop the next.

export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    // The caller has the rejection; the queue only needs to know that it is over.
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

/** A promise and its two ends. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** The promise's rejection counts as handled even when nobody looks at it: with acks=0 nobody does. */
export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onDone, onError) => {
    resolve = onDone;
    reject = onError;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
