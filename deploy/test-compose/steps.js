// Steps with time limits, and commands that end when their step does. One log line when a step begins and one when it is done, so
// that the log reads as the story and says where the time went.
/* global AbortController, AbortSignal */
import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

const begunMs = performance.now();
const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;

export function say(text) {
  process.stdout.write(`[${((performance.now() - begunMs) / 1_000).toFixed(1).padStart(6)} s] ${text}\n`);
}

/** Runs `body(signal)`; the signal aborts, and the step fails, when its time is over or `stop` aborts. */
export async function step(name, limitMs, stop, body) {
  stop.throwIfAborted();
  say(name);
  const since = performance.now();
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`"${name}" took more than ${seconds(limitMs)}`)),
    limitMs,
  );
  const signal = AbortSignal.any([limit.signal, stop]);
  try {
    setMaxListeners(0, signal);
    const aborted = new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const told = await Promise.race([body(signal), aborted]);
    say(`  ok, ${seconds(performance.now() - since)}${told === undefined ? '' : `: ${told}`}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs a command and answers what it wrote to stdout. Throws with the end of its output when it ends with anything but `codes`.
 * @param {readonly string[]} command
 */
export function run(
  command,
  { signal, input, environment = process.env, codes = [0], show = false, cwd } = {},
) {
  return new Promise((resolve, reject) => {
    const [file, ...args] = command;
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: environment, cwd });
    let stdout = '';
    let said = '';
    const heard = (chunk, isResult) => {
      const text = chunk.toString();
      if (isResult) stdout += text;
      said = (said + text).slice(-8_192);
      if (show) process.stdout.write(text.replace(/^(?=.)/gm, '             | '));
    };
    child.stdout.on('data', (chunk) => heard(chunk, true));
    child.stderr.on('data', (chunk) => heard(chunk, false));
    child.stdin.on('error', (error) => {
      if (error.code !== 'EPIPE') reject(error);
    });
    child.stdin.end(input ?? '');
    const end = () => child.kill('SIGKILL');
    signal?.addEventListener('abort', end, { once: true });
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      signal?.removeEventListener('abort', end);
      if (codes.includes(code)) resolve({ code, stdout });
      else reject(new Error(`\`${command.join(' ')}\` ended with ${code ?? killedBy}:\n${said}`));
    });
  });
}

export const pause = (ms, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal?.addEventListener('abort', end, { once: true });
  });

/** Asks until it is so; a probe that throws counts as "not yet", and is quoted when time is over. */
export async function until(what, signal, probe) {
  let last = 'it was not so';
  for (;;) {
    if (signal.aborted) throw new Error(`${what}: ${last}`, { cause: signal.reason });
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await pause(250).then(() => undefined);
  }
}
