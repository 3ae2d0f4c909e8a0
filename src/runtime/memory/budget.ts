/** How much memory there is, as far as anyone can tell. */
import { AppError } from '../../shared/errors.ts';
import type { BackendKind } from '../kind.ts';

const GIB = 2 ** 30;

/**
 * wasm addresses 4 GiB. A quarter is left for ONNX Runtime itself, and for the copies that it makes
 * of weights while it opens a session.
 */
const WASM_BYTES = 3 * GIB;

/**
 * Browsers do not tell the memory of a GPU, and of the machine's only a rounded figure, which many
 * never put above 8 GiB; Firefox and Safari tell none.
 */
const ASSUMED_MEMORY = 8 * GIB;

/**
 * Bytes for weights and activations, unless someone says otherwise. GPU: half the machine's memory,
 * which is what an integrated GPU may use, but 8 GiB where the machine has 8 GiB or more, since that
 * is said of all larger ones too and models of that size are for GPUs with memory of their own. If it
 * is too much, opening fails, and less is kept from then on. Processor: half the machine's memory,
 * as far as wasm can address it.
 *
 * @param memory of the machine in bytes, undefined if it is not known
 */
export function defaultBudget(kind: BackendKind, memory = ASSUMED_MEMORY): number {
  if (kind === 'cpu') return Math.min(WASM_BYTES, memory / 2);
  return memory >= ASSUMED_MEMORY ? Math.max(ASSUMED_MEMORY, memory / 2) : memory / 2;
}

/**
 * The words of the browsers, of wasm's allocator and of ONNX Runtime for it. An integer overflows
 * where wasm's 32 bits cannot count what a tensor takes.
 */
const WORDS =
  /out.of.memory|bad_alloc|allocation failed|failed to allocate|cannot allocate|could not allocate|too large for the implementation|integer overflow|invalid (typed )?array (buffer )?length/i;

/** Whether something failed for want of memory. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof AppError && error.code === 'out-of-memory') return true;
  if (!(error instanceof Error)) return false;
  return WORDS.test(error.message) || (error.cause !== undefined && isOutOfMemory(error.cause));
}

/** @throws AppError `bad-request` for what is no amount of memory. */
export function checkBudget(bytes: number): number {
  if (Number.isFinite(bytes) && bytes > 0) return bytes;
  throw new AppError(
    'bad-request',
    `The memory budget must be a number of bytes above 0, not ${bytes}.`,
    'Leave it out for a budget that suits this machine.',
  );
}
