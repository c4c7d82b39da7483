// The steps of a SimDisk: one operation taking effect at one moment. Tests watch steps to crash between any two of them,
// and make chosen ones fail.

import { type DiskErrorCode } from '@tidemark/core';

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'size'
  | 'list'
  | 'stat'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'lock';

/** The operations whose effect a crash can take away or separate from the next one: the crash points. */
export const crashPointOperations: ReadonlySet<DiskOperation> = new Set([
  'write',
  'sync',
  'truncate',
  'makeDirectory',
  'rename',
  'remove',
  'syncDirectory',
]);

export interface DiskStep {
  /** 1, 2, 3 ... in the order in which operations take effect. */
  readonly number: number;
  readonly operation: DiskOperation;
  readonly path: string;
  /** Bytes of a read or a write, the new size of a truncate, otherwise 0. */
  readonly bytes: number;
}

/** Called right before and right after a step takes effect. May fork or crash the disk; must not start an operation on it. */
export type StepObserver = (step: DiskStep, phase: 'before' | 'after') => void;

export interface InjectedFault {
  /** Default: every operation that is a crash point. */
  readonly operation?: DiskOperation;
  readonly path?: (path: string) => boolean;
  readonly error: DiskErrorCode;
  /** Matching steps to let pass first. Default 0. */
  readonly skip?: number;
  /** How often it strikes. Default 1. */
  readonly times?: number;
  /** Called when it strikes, before the operation fails. Must not start an operation on the disk. */
  readonly onStrike?: () => void;
}

/** The faults a disk is to show, and which of them strikes next. */
export class FaultPlan {
  #faults: { readonly fault: InjectedFault; seen: number }[] = [];

  add(fault: InjectedFault): void {
    this.#faults.push({ fault, seen: 0 });
  }

  get isEmpty(): boolean {
    return this.#faults.length === 0;
  }

  clear(): void {
    this.#faults = [];
  }

  /** Counts the step against every fault it matches; answers the first one that strikes it. */
  strike(step: DiskStep): InjectedFault | undefined {
    let struck: InjectedFault | undefined;
    for (const entry of this.#faults) {
      const { fault } = entry;
      const matches =
        fault.operation === undefined
          ? crashPointOperations.has(step.operation)
          : fault.operation === step.operation;
      if (!matches || fault.path?.(step.path) === false) continue;
      const strikes = ++entry.seen - (fault.skip ?? 0);
      if (strikes >= 1 && strikes <= (fault.times ?? 1)) struck ??= fault;
    }
    struck?.onStrike?.();
    return struck;
  }
}
