/** The tensors of a run, and the memory for them. */
import type { Tensor } from 'onnxruntime-web/wasm';
import { MAX_ANCHORS } from '../../forecast/settings.ts';
import type { Grid } from '../backend.ts';
import { VELOCITIES } from '../calls.ts';
import type { Ort } from '../ort/session.ts';
import type { WebGpuParts } from './parts.ts';
import { storageBuffer } from '../../gpu/buffers.ts';

/** Bytes of a number. */
const BYTES = { float16: 2, float32: 4 } as const;

/** A run's tensors, every one in a GPU buffer of its own. */
export interface RunTensors {
  readonly latents: Tensor;
  /** The same buffer as `latents`, shaped as the decoder takes it. */
  readonly grid: Tensor;
  /** A copy that `rewind` goes back to. */
  readonly marked: Tensor;
  readonly velocities: readonly Tensor[];
  /** Where the run is heading for, for the preview decoder, and shaped as that takes it. */
  readonly estimated: Tensor;
  readonly estimatedGrid: Tensor;
  readonly timestep: Tensor;
  /** Guidance scale; only graphs of a model that takes one read it. */
  readonly guidance: Tensor;
  readonly rotary_cos: Tensor;
  readonly rotary_sin: Tensor;
  readonly anchors: readonly Tensor[];
  readonly forecast: Tensor;
}

/** Makes them all; to be called where running out of memory is watched for. */
export function reserve(parts: WebGpuParts, grid: Grid, textTokens: number): RunTensors {
  const { ort, watch, precision, manifest } = parts;
  const { hidden, headWidth, latentWidth } = manifest.transformer;
  const imageTokens = grid.rows * grid.columns;
  const floats = (label: string, dims: readonly number[]) =>
    gpuFloats(ort, watch.device, label, dims);
  const features = (label: string) =>
    ort.Tensor.fromGpuBuffer(
      storageBuffer(watch.device, label, imageTokens * hidden * BYTES[precision]),
      { dataType: precision, dims: [1, imageTokens, hidden] },
    );
  const rotaryDims = [textTokens + imageTokens, headWidth / 2];
  const onGrid = ({ gpuBuffer }: Tensor) =>
    ort.Tensor.fromGpuBuffer(gpuBuffer, {
      dataType: 'float32',
      dims: [1, grid.rows, grid.columns, latentWidth],
    });
  const latents = floats('latents', [1, imageTokens, latentWidth]);
  const estimated = floats('estimated latents', latents.dims);
  return {
    latents,
    grid: onGrid(latents),
    estimated,
    estimatedGrid: onGrid(estimated),
    marked: floats('marked latents', latents.dims),
    velocities: Array.from({ length: VELOCITIES }, (_, slot) =>
      floats(`velocity ${slot}`, latents.dims),
    ),
    timestep: floats('timestep', [1]),
    guidance: floats('guidance', [1]),
    rotary_cos: floats('rotary cos', rotaryDims),
    rotary_sin: floats('rotary sin', rotaryDims),
    // One more than a forecast reads: the newest and all that could have forecast it.
    anchors: Array.from({ length: MAX_ANCHORS + 1 }, (_, slot) => features(`anchor ${slot}`)),
    forecast: features('forecast features'),
  };
}

/** A float32 tensor in a new buffer. */
export function gpuFloats(
  ort: Ort,
  device: GPUDevice,
  label: string,
  dims: readonly number[],
): Tensor {
  const length = dims.reduce((a, b) => a * b);
  return ort.Tensor.fromGpuBuffer(storageBuffer(device, label, 4 * length), {
    dataType: 'float32',
    dims,
  });
}
