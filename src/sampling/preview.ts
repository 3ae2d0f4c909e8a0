/**
 * A picture of what the run is heading for, without the decoder: by the model's small preview decoder
 * where it has one and there is room for it, otherwise straight from latents.
 */
import type { DecodedPicture, DenoiseRun, Grid } from '../runtime/backend.ts';
import type { Manifest } from '../bundle/manifest.ts';
import type { GenerateEvent } from './job.ts';
import { forEachLatent, PATCH } from './latents.ts';

type PreviewMap = NonNullable<Manifest['preview']>;

/** Least milliseconds between two previews. */
const PAUSE = 150;
/** And so many times what the last one took, so that previews stay a small part of the run. */
const PAUSE_PER_COST = 8;

/** Shows a run's previews now and then; nothing for a model without a preview decoder or map. */
export class Previewer {
  readonly #run: DenoiseRun;
  readonly #grid: Grid;
  readonly #map: PreviewMap | undefined;
  #notBefore = 0;

  constructor(run: DenoiseRun, grid: Grid, map: PreviewMap | undefined) {
    this.#run = run;
    this.#grid = grid;
    this.#map = map;
  }

  /** `sigma`: flow time of the run's current latents. */
  async showIfDue(sigma: number, onEvent: (event: GenerateEvent) => void): Promise<void> {
    const started = performance.now();
    if (started < this.#notBefore) return;
    const picture = (await this.#run.preview(sigma)) ?? (await this.mapped(sigma));
    if (!picture) return;
    onEvent({ kind: 'preview', ...picture });
    const ended = performance.now();
    this.#notBefore = ended + Math.max(PAUSE, PAUSE_PER_COST * (ended - started));
  }

  private async mapped(sigma: number): Promise<DecodedPicture | undefined> {
    if (!this.#map) return undefined;
    return previewPicture(await this.#run.estimate(sigma), this.#grid, this.#map);
  }
}

/**
 * One pixel per latent, [rows * 2, columns * 2].
 * @param estimate packed latents of the finished picture, [rows * columns * channels * 4].
 */
export function previewPicture(
  estimate: Float32Array,
  grid: Grid,
  { factors, bias }: PreviewMap,
): DecodedPicture {
  const width = grid.columns * PATCH;
  const height = grid.rows * PATCH;
  const colours = new Float32Array(width * height * 3);
  for (let i = 0; i < colours.length; i++) colours[i] = bias[i % 3]!;
  forEachLatent(grid, factors.length, (packedIndex, channel, y, x) => {
    for (let c = 0; c < 3; c++) {
      colours[(y * width + x) * 3 + c]! += factors[channel]![c]! * estimate[packedIndex]!;
    }
  });
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) pixels[i * 4 + c] = colours[i * 3 + c]! * 255;
    pixels[i * 4 + 3] = 255;
  }
  return { width, height, pixels };
}
