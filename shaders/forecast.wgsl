// Forecast: output = sum over j of weights[j] * anchor j, the newest anchor first.
//
// Dispatch  one invocation per four numbers, in workgroups of `workgroup_size`; the workgroups
//           fill rows of x and then y, since a row holds at most 65535. Invocations past the end
//           do nothing.
// Loads     each invocation reads its own four numbers of every anchor, sums in f32 and writes
//           them once, so `output` may be any buffer but an anchor.
// Storage   `Storage` is vec4<f32> or vec4<f16>: an alias that forecast.ts puts before this
//           text. Buffers are padded to 16 bytes; the padding is summed like the rest.

override workgroup_size: u32;

struct Sum {
  weights: array<vec4<f32>, 2>,
  /// Anchors that count, 1 to 6. Slots above it are bound to any anchor and never read.
  count: u32,
}

@group(0) @binding(0) var<uniform> sum: Sum;
@group(0) @binding(1) var<storage, read_write> output: array<Storage>;
@group(0) @binding(2) var<storage, read> anchor0: array<Storage>;
@group(0) @binding(3) var<storage, read> anchor1: array<Storage>;
@group(0) @binding(4) var<storage, read> anchor2: array<Storage>;
@group(0) @binding(5) var<storage, read> anchor3: array<Storage>;
@group(0) @binding(6) var<storage, read> anchor4: array<Storage>;
@group(0) @binding(7) var<storage, read> anchor5: array<Storage>;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * workgroup_size + local;
  if (i >= arrayLength(&output)) {
    return;
  }
  let low = sum.weights[0];
  let high = sum.weights[1];
  var total = low.x * vec4<f32>(anchor0[i]);
  if (sum.count > 1u) {
    total += low.y * vec4<f32>(anchor1[i]);
  }
  if (sum.count > 2u) {
    total += low.z * vec4<f32>(anchor2[i]);
  }
  if (sum.count > 3u) {
    total += low.w * vec4<f32>(anchor3[i]);
  }
  if (sum.count > 4u) {
    total += high.x * vec4<f32>(anchor4[i]);
  }
  if (sum.count > 5u) {
    total += high.y * vec4<f32>(anchor5[i]);
  }
  output[i] = Storage(total);
}
