/**
 * Runs what ONNX Runtime's kernels are known to get wrong on some GPUs, or browsers to refuse, and
 * compares it with plain arithmetic. A device is trusted only when all of it agrees.
 */
import { messageOf } from '../../../shared/errors.ts';
import { numbersOf } from '../../../shared/half.ts';
import { outputOf, runSession, type Ort } from '../../ort/session.ts';
import type { Precision } from '../../../gpu/precision.ts';
import { type Case, Cases } from './cases.ts';
import type { DeviceWatch } from '../../../gpu/watch.ts';

/** The graphs, by file name, in the order in which they run, and what people call them. */
const CHECKS = {
  attention: 'attention',
  'matmul-4bit': '4-bit multiplication',
  clipping: 'clipping',
  block: 'a transformer block',
} as const;

export type CheckName = keyof typeof CHECKS;

export interface Check {
  readonly name: CheckName;
  readonly words: string;
  /** Largest error over the largest value; NaN where none was computed. */
  readonly error: number;
  /** What ONNX Runtime or the GPU said, where the graph did not run at all. */
  readonly failure?: string;
}

export interface SelfTestResult {
  readonly precision: Precision;
  /** Up to the first that failed: after it nothing else matters. */
  readonly checks: readonly Check[];
  /** Above this the device is not trusted. */
  readonly tolerance: number;
  readonly passed: boolean;
}

type Watch = Pick<DeviceWatch, 'device' | 'run' | 'settle'>;

/** Rounding errors were at most a third of these; the known faults are 3 % and more. */
const TOLERANCE: Record<Precision, number> = { float32: 1e-4, float16: 1e-2 };

/** How ONNX Runtime says that its own code did not load, which is no fault of the GPU. */
const NOT_STARTED = 'no available backend found';

/**
 * @param watch of the device that ONNX Runtime is to run on
 * @param headWidth of the model that is to run: kernels are compiled for it
 * @param file reads a file of public/selftest/ by name
 * @throws what `file` throws, and whatever keeps ONNX Runtime itself from starting: all that goes
 *   wrong on the device is a result.
 */
export async function selfTest(
  watch: Watch,
  ort: Ort,
  precision: Precision,
  headWidth: number,
  file: (name: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<SelfTestResult> {
  const cases = new Cases(ort, precision, headWidth);
  const made: Record<CheckName, () => Case[]> = {
    attention: () => cases.attention(),
    'matmul-4bit': () => cases.matMul4Bit(),
    clipping: () => cases.clipping(),
    block: () => cases.block(),
  };
  const tolerance = TOLERANCE[precision];
  const checks: Check[] = [];
  for (const name of Object.keys(CHECKS) as CheckName[]) {
    const graph = await file(`${name}.${precision}.onnx`);
    const words = CHECKS[name];
    const check: Check = await worstError(watch, ort, graph, made[name]()).then(
      (error) => ({ name, words, error }),
      (cause: unknown) => {
        const failure = messageOf(cause);
        if (failure.startsWith(NOT_STARTED)) throw cause;
        return { name, words, error: NaN, failure };
      },
    );
    checks.push(check);
    // Written so that NaN fails.
    if (!(check.error <= tolerance)) return { precision, checks, tolerance, passed: false };
  }
  return { precision, checks, tolerance, passed: true };
}

async function worstError(
  watch: Watch,
  ort: Ort,
  graph: Uint8Array,
  cases: readonly Case[],
): Promise<number> {
  const session = await watch.run(() =>
    ort.InferenceSession.create(graph, {
      executionProviders: [{ name: 'webgpu', device: watch.device, validationMode: 'wgpuOnly' }],
    }),
  );
  try {
    let worst = 0;
    for (const { feeds, expected } of cases) {
      const result = outputOf(await runSession(watch, session, feeds), 'output');
      const actual = numbersOf(await watch.run(() => result.getData()));
      worst = Math.max(worst, relativeError(actual, expected));
    }
    // What the GPU refused without ONNX Runtime noticing would fail every image later on.
    await watch.settle();
    return worst;
  } finally {
    await watch.run(() => session.release());
  }
}

/** NaN if one number is. */
function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) return NaN;
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}
