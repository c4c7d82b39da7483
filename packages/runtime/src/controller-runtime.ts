// Runs the controller over a quorum: decide, propose, wait until committed, replay, answer.
//
// Commands are decided one after another the moment they arrive, against the image as it will be once everything proposed
// before them is committed; so a burst of them shares one sync. A response is held until its records are committed, or, for a
// command without records, until everything it was decided on is. When proposals are abandoned, so are the decisions built
// on them: their callers get the failure, and the next command is decided on what is left.

import {
  applyRecords,
  MetadataImage,
  NO_SESSIONS,
  type Controller,
  type ControllerCommand,
  type ResponseTo,
} from '@tidemark/controller';
import { failure, invariant, type Failure, type Offset, type Prng } from '@tidemark/core';
import type { CommittedRecords, MetadataQuorum } from './metadata-quorum.ts';

export interface ControllerRuntimeOptions {
  readonly controller: Controller;
  readonly quorum: MetadataQuorum;
  readonly prng: Prng;
  /** Commands decided and not yet answered; beyond it they are refused with THROTTLING_QUOTA_EXCEEDED. */
  readonly maxWaitingCommands: number;
}

export type ImageListener = (image: MetadataImage, previous: MetadataImage) => void;

/** A decision that waits for the quorum. */
interface Waiting {
  /** All below it must be committed. */
  readonly endOffset: number;
  /** The image with its records, if it has any. */
  readonly after: MetadataImage | undefined;
  readonly baseOffset: number;
  readonly answer: () => void;
  readonly refuse: (cause: Failure) => void;
}

export class ControllerRuntime {
  readonly #controller: Controller;
  readonly #quorum: MetadataQuorum;
  readonly #prng: Prng;
  readonly #maxWaitingCommands: number;
  readonly #listeners = new Set<ImageListener>();
  #image = MetadataImage.empty();
  #committedEnd = 0;
  /** In the order they were decided in, which is that of their offsets. */
  #waiting: Waiting[] = [];
  #isClosed = false;

  private constructor(options: ControllerRuntimeOptions) {
    this.#controller = options.controller;
    this.#quorum = options.quorum;
    this.#prng = options.prng;
    this.#maxWaitingCommands = options.maxWaitingCommands;
  }

  /** Replays what the quorum has. Rejects with TidemarkError when its log cannot be read or was written by a newer version. */
  static async start(options: ControllerRuntimeOptions): Promise<ControllerRuntime> {
    const runtime = new ControllerRuntime(options);
    await options.quorum.start({
      committed: (batch) => runtime.#committed(batch),
      abandoned: (fromOffset, cause) => runtime.#abandoned(fromOffset, cause),
    });
    return runtime;
  }

  /** Everything committed so far. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** Called after every change, in order, before the command that made it is answered. Answers how to stop. */
  onImage(listener: ImageListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Decides the command now and answers once that is committed and in `image`. Besides the command's own failures, all
   * retriable: THROTTLING_QUOTA_EXCEEDED, NOT_CONTROLLER, and KAFKA_STORAGE_ERROR, after which the outcome may be unknown.
   */
  submit<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure> {
    const refused = this.#refusal();
    if (refused !== undefined) return Promise.resolve(refused);
    const pending = this.#pendingImage();
    const nextOffset = this.#pendingEnd();
    const decided = this.#controller.handle(command, {
      image: pending,
      nextOffset,
      prng: this.#prng,
      nowMs: 0,
      sessions: NO_SESSIONS,
    });
    // A refusal, too, may rest on what is not committed yet: "the topic exists".
    if (!decided.ok) return this.#wait(nextOffset, nextOffset, undefined, decided);
    const { records, response } = decided;
    if (records.length === 0) return this.#wait(nextOffset, nextOffset, undefined, response);
    const proposed = this.#quorum.propose(records);
    if (!proposed.ok) return Promise.resolve(proposed);
    invariant(proposed.baseOffset === nextOffset, 'records got the offsets they were decided for');
    const after = applyRecords(pending, records, nextOffset);
    return this.#wait(nextOffset, nextOffset + records.length, after, response);
  }

  /** Refuses commands from now on; those decided are answered before this resolves. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#quorum.close();
  }

  #refusal(): Failure | undefined {
    if (this.#isClosed) return failure('NOT_CONTROLLER', 'The controller on this node is shutting down.');
    if (this.#waiting.length >= this.#maxWaitingCommands) {
      return failure(
        'THROTTLING_QUOTA_EXCEEDED',
        `${this.#waiting.length} commands wait for the metadata log; retry a little later.`,
      );
    }
    // The log has taken something back and is about to say so: what is pending here is not what will be.
    if (this.#quorum.nextOffset !== this.#pendingEnd()) {
      return failure('KAFKA_STORAGE_ERROR', 'The metadata log is recovering from a failed write.');
    }
    return undefined;
  }

  #pendingImage(): MetadataImage {
    return this.#waiting.findLast(({ after }) => after !== undefined)?.after ?? this.#image;
  }

  #pendingEnd(): Offset {
    return (this.#waiting.at(-1)?.endOffset ?? this.#committedEnd) as Offset;
  }

  #wait<R>(
    baseOffset: number,
    endOffset: number,
    after: MetadataImage | undefined,
    result: R,
  ): Promise<R | Failure> {
    if (endOffset <= this.#committedEnd) return Promise.resolve(result);
    return new Promise((resolve) => {
      const answer = () => resolve(result);
      this.#waiting.push({ baseOffset, endOffset, after, answer, refuse: resolve });
    });
  }

  #committed({ baseOffset, records }: CommittedRecords): void {
    invariant(baseOffset === this.#committedEnd, 'metadata is committed without a gap', { baseOffset });
    const previous = this.#image;
    const own = this.#waiting.find(({ after }) => after !== undefined);
    this.#image = own?.baseOffset === baseOffset ? own.after! : applyRecords(previous, records, baseOffset);
    this.#committedEnd = baseOffset + records.length;
    for (const listener of this.#listeners) listener(this.#image, previous);
    const done = this.#waiting.filter(({ endOffset }) => endOffset <= this.#committedEnd);
    this.#waiting = this.#waiting.slice(done.length);
    for (const { answer } of done) answer();
  }

  #abandoned(fromOffset: Offset, cause: Failure): void {
    // What was decided on abandoned records falls with them, even if it has no records of its own.
    const lost = this.#waiting.filter(({ endOffset }) => endOffset > fromOffset);
    this.#waiting = this.#waiting.filter(({ endOffset }) => endOffset <= fromOffset);
    for (const { refuse } of lost) refuse(cause);
  }
}
