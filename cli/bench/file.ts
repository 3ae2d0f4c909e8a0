/** What bench keeps in its run file: a line for every picture by every method. */
import type { Calls } from '../lib/flops.ts';
import { RunFile } from '../lib/run-file.ts';

/** What all lines of a run file have in common. */
export interface Header {
  readonly format: 'hicache-bench';
  readonly version: 1;
  /** Version of this program. */
  readonly program: string;
  /** SHA-256 of the bundle's manifest, which has those of all its files. */
  readonly model: string;
  readonly backend: string;
  readonly precision: string;
  readonly steps: number;
  /** Timestep shift; `dynamic` where it depends on the picture's size. */
  readonly shift: number | 'dynamic';
  readonly width: number;
  readonly height: number;
  /** SHA-256 of the whole list of prompts and seeds. */
  readonly prompts: string;
}

interface Seconds {
  readonly total: number;
  /** Without text encoders and decoder: transformer, forecasts, head, and all that decides on them. */
  readonly denoise: number;
}

/** One picture by one method, compared with the full run's. */
export interface Line {
  /** Place in the list of prompts, from 0. */
  readonly case: number;
  readonly method: string;
  /** Digest of the method's settings. */
  readonly settings: string;
  /** Steps that ran the transformer. */
  readonly computed: number;
  readonly calls: Calls;
  readonly seconds: Seconds;
  /** The full run's, made shortly before. */
  readonly fullSeconds: Seconds;
  /** Median forecast step over median compute step; null without forecasts. */
  readonly forecastCost: number | null;
  /** In dB; null for equal pictures. */
  readonly psnr: number | null;
  readonly ssim: number;
  /** Relative L2 error of the final latents; null for a run whose numbers grew beyond all bounds. */
  readonly latentError: number | null;
}

/** What tells one line from the others. */
export type LineKey = Pick<Line, 'case' | 'method' | 'settings'>;

export type BenchFile = RunFile<LineKey, Line>;

/** @throws AppError as `RunFile.open` does. */
export function openBenchFile(path: string, header: Header): Promise<BenchFile> {
  return RunFile.open<LineKey, Line>(
    path,
    { ...header },
    ({ case: n, method, settings }) => `${n} ${method} ${settings}`,
  );
}
