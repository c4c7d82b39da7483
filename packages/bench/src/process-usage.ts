// Processor time and memory of a process, from /proc. Linux only; elsewhere everything is 0 and the report says so.
import { readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** User and system time since it started. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** USER_HZ has been 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const NOTHING: ProcessUsage = { cpuSeconds: 0, rssBytes: 0 };

export function processUsage(pid: number): ProcessUsage {
  if (process.platform !== 'linux') return NOTHING;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may hold blanks; the fields after it count from 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssBytes: Number(resident?.[1] ?? 0) * 1_024,
  };
}
