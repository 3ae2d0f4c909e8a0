/** Buffers that our kernels and ONNX Runtime share. */

/** ONNX Runtime wants multiples of 16 bytes; our kernels take four numbers at a time. */
export function paddedBytes(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 16) * 16);
}

/** A storage buffer as ONNX Runtime accepts it for inputs and outputs, filled with zeros. */
export function storageBuffer(device: GPUDevice, label: string, bytes: number): GPUBuffer {
  return device.createBuffer({
    label,
    size: paddedBytes(bytes),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
}

/** A buffer that results are copied into to be mapped. */
export function stagingBuffer(device: GPUDevice, label: string, bytes: number): GPUBuffer {
  return device.createBuffer({
    label,
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
}

/** What a staging buffer holds once the work submitted so far is done. */
export async function mapFloats(staging: GPUBuffer): Promise<Float32Array> {
  await staging.mapAsync(GPUMapMode.READ);
  return new Float32Array(staging.getMappedRange().slice(0));
}

/** Copies the first `lengths[i]` float32 numbers of `buffers[i]` back, in one transfer. */
export async function readFloats(
  device: GPUDevice,
  sources: readonly { readonly buffer: GPUBuffer; readonly length: number }[],
): Promise<Float32Array[]> {
  const total = sources.reduce((bytes, { length }) => bytes + 4 * length, 0);
  const staging = stagingBuffer(device, 'read back', total);
  try {
    const encoder = device.createCommandEncoder({ label: 'read back' });
    let offset = 0;
    for (const { buffer, length } of sources) {
      encoder.copyBufferToBuffer(buffer, 0, staging, offset, 4 * length);
      offset += 4 * length;
    }
    device.queue.submit([encoder.finish()]);
    const all = await mapFloats(staging);
    let start = 0;
    return sources.map(({ length }) => all.slice(start, (start += length)));
  } finally {
    staging.destroy();
  }
}
