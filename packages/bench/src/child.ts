// Child processes with an end: each has a time limit, its output is kept up to a limit, and what was started is ended by pid.
import { spawn } from 'node:child_process';

const MAX_OUTPUT_BYTES = 8 * 1_024 * 1_024;

export interface ChildResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** Runs to the end; after `maxMs` it gets SIGTERM, five seconds later SIGKILL. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly maxMs: number; readonly environment?: Readonly<Record<string, string>> },
): Promise<ChildResult> {
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < MAX_OUTPUT_BYTES) output[name] += text;
    });
  }
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill('SIGTERM');
  }, options.maxMs);
  const kill = setTimeout(() => child.kill('SIGKILL'), options.maxMs + 5_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    return { code, ...output, timedOut };
  } finally {
    clearTimeout(limit);
    clearTimeout(kill);
  }
}
