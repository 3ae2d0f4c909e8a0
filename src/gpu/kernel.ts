/** What every kernel of ours needs: its pipeline, and a dispatch over four numbers at a time. */

/**
 * Invocations in a workgroup: a multiple of every GPU's subgroup size and within every limit; a
 * power of two, for sums by halves.
 */
export const WORKGROUP_SIZE = 64;

/**
 * Workgroups in x and y, x full before y grows: at least `workgroups` of them, no side above
 * `limit`.
 */
export function dispatchGrid(workgroups: number, limit: number): [x: number, y: number] {
  const x = Math.min(workgroups, limit);
  return [x, Math.ceil(workgroups / x)];
}

/**
 * @param entryPoint the function to run, where `code` has several
 * @throws GPUPipelineError if the shader does not compile.
 */
export function compile(
  device: GPUDevice,
  label: string,
  code: string,
  entryPoint?: string,
): Promise<GPUComputePipeline> {
  return device.createComputePipelineAsync({
    label,
    layout: 'auto',
    compute: {
      module: device.createShaderModule({ label, code }),
      entryPoint,
      constants: { workgroup_size: WORKGROUP_SIZE },
    },
  });
}

/**
 * Records one pass of `pipeline` over `vectors` groups of four numbers.
 *
 * @param bindings of group 0, in the order of their numbers
 * @param rowLimit workgroups in a row of x
 */
export function record(
  encoder: GPUCommandEncoder,
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  bindings: readonly GPUBuffer[],
  vectors: number,
  rowLimit: number,
): void {
  const grid = dispatchGrid(Math.ceil(vectors / WORKGROUP_SIZE), rowLimit);
  recordPass(encoder, device, pipeline, bindings, ...grid);
}

/** Records one pass of `pipeline` in so many workgroups. */
export function recordPass(
  encoder: GPUCommandEncoder,
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  bindings: readonly GPUBuffer[],
  ...workgroups: [x: number, y?: number]
): void {
  const bindGroup = device.createBindGroup({
    label: pipeline.label,
    layout: pipeline.getBindGroupLayout(0),
    entries: bindings.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const pass = encoder.beginComputePass({ label: pipeline.label });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...workgroups);
  pass.end();
}
