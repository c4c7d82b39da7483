// The process's log: JSON lines on stderr, so that stdout stays free for results.

import { destination, pino, type Logger } from 'pino';

/** `sync`: a line is written before the call returns. What a dying process says last must not be lost. */
export function createLogger(level: string, base: Readonly<Record<string, unknown>>): Logger {
  return pino(
    {
      level,
      base: { ...base },
      timestamp: () => `,"time":"${new Date(Date.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination({ fd: 2, sync: true }),
  );
}
