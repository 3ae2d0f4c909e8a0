/**
 * The one error type that people see. `code` is for programs, `message` says what went
 * wrong, `hint` says what to do about it.
 */
export class AppError extends Error {
  override readonly name = 'AppError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type ErrorCode =
  | 'bad-request'
  | 'bad-bundle'
  | 'bad-checkpoint'
  | 'not-found'
  | 'no-access'
  | 'offline'
  | 'no-webgpu'
  | 'device-lost'
  | 'out-of-memory'
  | 'out-of-storage'
  | 'busy'
  | 'cancelled'
  | 'internal';

/** What crosses a thread or a process boundary in place of an error. */
export interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What any thrown value says. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Any thrown value as a report; what is not an `AppError` becomes `internal`. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof AppError) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  return {
    code: 'internal',
    message: `Something failed that should not: ${messageOf(error)}`,
    hint: 'Reload and try again. If it happens again, report it with this text.',
  };
}
