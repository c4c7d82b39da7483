// Chunks of a file or of standard input until it ends or the command is told to stop. Reading waits while nobody asks for the
// next chunk, so a file of any size goes through a fixed amount of memory.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { CommandIo } from './command-context.ts';

const FILE_CHUNK_BYTES = 256 * 1_024;

export function openInput(io: CommandIo, path: string | undefined): Readable {
  return path === undefined || path === '-'
    ? io.stdin
    : createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES });
}

/** Ends without an error when `stop` is aborted, even while no input comes. */
export async function* chunks(input: Readable, stop: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const end = (): void => void input.destroy();
  stop.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of input as AsyncIterable<Buffer | string>) {
      if (stop.aborted) return;
      yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    }
  } catch (error) {
    // A stream that was destroyed on purpose complains of its premature end.
    if (!stop.aborted) throw error;
  } finally {
    stop.removeEventListener('abort', end);
  }
}
