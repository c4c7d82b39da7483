// The process's log: JSON lines on stderr, so that stdout stays free for results. Repeats are limited (`log-repeats.ts`), except of
// what ends the process and of what somebody asked for by turning the level down to debug or trace.

import { destination, pino, type DestinationStream, type Logger } from 'pino';
import { LogRepeats, type RepeatLimits } from './log-repeats.ts';

const LIMITED_FROM = 30; // info
const UNLIMITED_FROM = 60; // fatal

/** `sync`: a line is written before the call returns. What a dying process says last must not be lost. */
const stderr = (): DestinationStream => destination({ fd: 2, sync: true });

export function createLogger(
  level: string,
  base: Readonly<Record<string, unknown>>,
  into: DestinationStream = stderr(),
  limits?: RepeatLimits,
): Logger {
  const repeats = new LogRepeats(limits);
  return pino(
    {
      level,
      base: { ...base },
      timestamp: () => `,"time":"${new Date(Date.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(args, method, number) {
          const message = args.find((each): each is string => typeof each === 'string');
          const isLimited = message !== undefined && number >= LIMITED_FROM && number < UNLIMITED_FROM;
          const write = (...line: Parameters<typeof method>): void => {
            method.apply(this, line);
          };
          const summary = (withheld: number): void =>
            write({ withheld }, `${message ?? ''} (as before, so many times more)`);
          if (!isLimited || repeats.admits(number, message, summary)) write(...args);
        },
      },
    },
    into,
  );
}
