// Who calls: a principal, the address it comes from, and the name the client gives itself. Found out at the gate, once a call.

import { ANONYMOUS } from '@tidemark/core';
import type { AnyCall } from './gated-services.ts';

export interface Caller {
  readonly principal: string;
  readonly host: string;
  /** `client.id`; empty where the client gave none. */
  readonly clientId: string;
}

export const ANONYMOUS_CALLER: Caller = { principal: ANONYMOUS, host: '', clientId: '' };

const callers = new WeakMap<object, Caller>();

export function rememberCaller(call: AnyCall, caller: Caller): void {
  callers.set(call, caller);
}

/** Undefined for a call that came by no gate: in a test of a handler. */
export const callerOf = (call: object): Caller | undefined => callers.get(call);
