/** What a script sees: 0 done, 1 it did not work, 2 it was asked for in a way that cannot work. */
export const ExitCode = { OK: 0, FAILURE: 1, USAGE: 2 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

interface CliErrorOptions extends ErrorOptions {
  /** What to do about it, a sentence of its own. */
  readonly hint?: string | undefined;
  readonly exitCode?: ExitCode | undefined;
}

/** An expected failure: printed as text with its hint, never with a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';

  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: CliErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ExitCode.FAILURE;
  }

  static usage(message: string, hint?: string): CliError {
    return new CliError(message, { hint, exitCode: ExitCode.USAGE });
  }
}

/** The text of anything that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
