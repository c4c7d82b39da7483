#!/usr/bin/env node
// The process boundary of the `tidemark` command: signals, exit codes, errors as sentences. Nothing heavy is imported here; a
// command loads its own code when it is run.
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { CommanderError } from 'commander';
import picocolors from 'picocolors';
import { write } from './command-context.ts';
import { CommandFailure, exitCodes, toCommandFailure, type ExitCode } from './exit.ts';
import { Interruption } from './interruption.ts';
import { makeProgram } from './program/program.ts';

// V8 counts the bytes of buffers against a heap that is small here (about 14 MB of objects), so that by default every few megabytes
// of batches passing through end in a full collection: a fifth of the time of a loaded server. Four times the live heap between two
// of them costs some 20 MB of memory and almost all of them go.
setFlagsFromString('--heap-growing-percent=300');

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

let exitCode: number = exitCodes.ok;

let streaming = false;
const interruption = new Interruption(() => {
  streaming = true;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!interruption.request(signal)) process.exit(SIGNAL_EXIT[signal]);
    });
  }
});

// A reader that has gone is how `| head` ends a command: a streaming one finishes its work, any other has nothing left to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (streaming) interruption.request('EPIPE');
  else process.exit(exitCodes.ok);
});
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

function report(error: unknown): ExitCode {
  // Commander has printed its own sentence. Help that was asked for is a success, help for want of a command is not.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  const failure = toCommandFailure(error);
  // Not `stderr.isTTY`: a pipe has none, and picocolors takes undefined for "decide yourself", which means colours under CI.
  const colors = picocolors.createColors(isatty(process.stderr.fd) && process.env['NO_COLOR'] === undefined);
  let text = `${colors.red('error:')} ${failure.message}\n`;
  if (failure.hint !== undefined) text += `${colors.cyan('next:')}  ${failure.hint}\n`;
  if (process.env['TIDEMARK_DEBUG'] !== undefined || isUnforeseen(error)) {
    text += `${error instanceof Error ? (error.stack ?? '') : ''}\n`;
  }
  process.stderr.write(text);
  return failure.exitCode;
}

/** Neither said on purpose nor the system's: a bug, whose stack somebody will want. */
function isUnforeseen(error: unknown): boolean {
  return !(error instanceof CommandFailure) && !(error instanceof Error && 'code' in error);
}

try {
  const program = makeProgram({
    io: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env },
    interruption,
    setExitCode: (code) => {
      exitCode = code;
    },
  });
  await program.parseAsync(process.argv);
} catch (error) {
  exitCode = report(error);
}
// What was printed reaches its reader first; then nothing that is still open may keep the command alive.
await write(process.stdout, '');
process.exit(exitCode);
