/** Finds weights that cannot be stored while they are read for storing: a NaN spoils every image. */
import { AppError } from '../../shared/errors.ts';
import { floatsToHalves } from '../../shared/half.ts';

/**
 * The error for a weight that is not finite, or that its storage cannot hold. The caller puts the
 * tensor's name before the message.
 *
 * @param storage such as `4 bits` or `half precision`
 */
export function badWeight(value: number, storage: string): AppError {
  return Number.isFinite(value)
    ? new AppError(
        'bad-checkpoint',
        `a weight is ${value}, which cannot be stored in ${storage}.`,
        'Lower the strength of a LoRA that is merged, or keep float32 with --quant none on the command line.',
      )
    : new AppError(
        'bad-checkpoint',
        `a weight is ${value}, not a finite number.`,
        'The file is damaged, or its training diverged: download it again or use another copy.',
      );
}

/** The same complaint about a weight, with the tensor's name before it; any other failure as it is. */
export function naming(where: string, tensor: string, error: unknown): unknown {
  if (!(error instanceof AppError && error.code === 'bad-checkpoint')) return error;
  return new AppError(error.code, `${where}: ${tensor}: ${error.message}`, error.hint, {
    cause: error,
  });
}

/** @throws AppError `bad-checkpoint` for the first value that is not finite */
export function checkFinite(values: Float32Array): Float32Array {
  // By index: an iterator takes ten times as long.
  // eslint-disable-next-line @typescript-eslint/prefer-for-of
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    // Infinity minus itself is NaN, as NaN is.
    if (value - value !== 0) throw badWeight(value, 'float32');
  }
  return values;
}

const EXPONENT = 0x7c00;

/** In half precision. @throws AppError `bad-checkpoint` for the first value that has no finite half */
export function checkedHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = floatsToHalves(values);
  for (let i = 0; i < halves.length; i++) {
    if ((halves[i]! & EXPONENT) === EXPONENT) throw badWeight(values[i]!, 'half precision');
  }
  return halves;
}
