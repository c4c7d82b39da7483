// Why a broker refuses to start: the cause with its value, and what to do. The process prints it as one line and exits with 1.

export class StartupError extends Error {
  override readonly name = 'StartupError';
  readonly remedy: string;

  constructor(cause: string, remedy: string, options?: { readonly cause?: unknown }) {
    super(`${cause}; ${remedy}`, options);
    this.remedy = remedy;
  }
}
