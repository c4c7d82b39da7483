// A broken invariant is a bug in this program, never an operating condition. It ends the process: nothing but the
// process boundary may catch it, which logs it and exits.

export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(Object.keys(details).length === 0 ? message : `${message} ${JSON.stringify(details)}`);
    this.details = details;
  }
}

/** Throws `InvariantViolation` unless `condition` holds. `details` are computed only by the caller's literal: keep it cheap. */
export function invariant(
  condition: boolean,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantViolation(message, details);
}

/** For the `default` branch of an exhaustive switch. */
export function unreachable(value: never, message = 'unreachable'): never {
  throw new InvariantViolation(message, { value });
}
