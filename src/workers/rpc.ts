/**
 * Lets errors cross between page and worker as what they are. Comlink's own handler keeps only
 * message, name and stack; this one carries code and hint and makes an `AppError` of them again.
 * Both sides call `registerErrorHandler` before anything is sent; further calls do nothing.
 */
import { transferHandlers } from 'comlink';
import { AppError, type ErrorReport, reportOf } from '../shared/errors.ts';

interface Thrown {
  readonly value: unknown;
}

let registered = false;

export function registerErrorHandler(): void {
  if (registered) return;
  registered = true;
  const builtIn = transferHandlers.get('throw');
  if (!builtIn) throw new Error('Comlink has no handler for thrown values.');
  transferHandlers.set('throw', {
    // Comlink marks thrown values with a symbol of its own, which only its handler can see.
    canHandle: (value): value is Thrown => builtIn.canHandle(value),
    serialize: ({ value }: Thrown): [ErrorReport, Transferable[]] => [reportOf(value), []],
    deserialize({ code, message, hint }: ErrorReport): never {
      throw new AppError(code, message, hint);
    },
  });
}
