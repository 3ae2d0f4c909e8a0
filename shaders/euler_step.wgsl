// Euler step: latents += delta_sigma * velocity, in place, f32.
//
// Dispatch  one invocation per four numbers, in workgroups of `workgroup_size`; the workgroups
//           fill rows of x and then y, since a row holds at most 65535. Invocations past the end
//           do nothing.
// Loads     each invocation reads and writes its own four numbers. Buffers are padded to 16
//           bytes; the padding is stepped like the rest.

override workgroup_size: u32;

struct Euler {
  delta_sigma: f32,
}

@group(0) @binding(0) var<uniform> euler: Euler;
@group(0) @binding(1) var<storage, read_write> latents: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> velocity: array<vec4<f32>>;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let i = (workgroup.y * workgroups.x + workgroup.x) * workgroup_size + local;
  if (i >= arrayLength(&latents)) {
    return;
  }
  latents[i] += euler.delta_sigma * velocity[i];
}
