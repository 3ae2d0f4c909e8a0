// Gram: inner products of e0 = anchor 0, the newest, and of the differences e_i between each
// anchor and the one before it, e_i = anchor i-1 - anchor i, all in one pass over the anchors.
//
// Dispatch  `multiply` with a number of workgroups that depends on nothing but the length, in a
//           row of x; then `add_up` with one workgroup. Both add in an order that the dispatch
//           fixes, without atomics or subgroups, so that a device always gives the same bits.
// Loads     in `multiply` each invocation reads its own four numbers of every anchor, takes the
//           differences in f32 and goes on a whole dispatch further until the end; its workgroup
//           adds up by halves and writes one row of `workgroup_sums`. `add_up` adds the rows.
// Storage   `Storage` is vec4<f32> or vec4<f16>: an alias that gram.ts puts before this text.
//           What lies in the padding of a buffer is left out.

/// A power of two, so that it can be halved, and no less than PRODUCTS.
override workgroup_size: u32;

/// Of seven vectors with themselves and each other, column by column of the upper triangle:
/// (0,0) | (0,1) (1,1) | (0,2) (1,2) (2,2) | ... so that fewer vectors fill the beginning.
const PRODUCTS = 28u;
alias Products = array<f32, PRODUCTS>;

struct Extent {
  /// Numbers in an anchor.
  length: u32,
  /// Anchors that count beside the newest, 0 to 6. Slots above are bound to any anchor and
  /// never read; their products are zero.
  older: u32,
  /// Of `multiply`: rows of `workgroup_sums`.
  workgroups: u32,
}

@group(0) @binding(0) var<uniform> extent: Extent;
@group(0) @binding(1) var<storage, read_write> workgroup_sums: array<Products>;
// `multiply` has anchors where `add_up` has its output; they are pipelines of their own.
@group(0) @binding(2) var<storage, read> anchor0: array<Storage>;
@group(0) @binding(3) var<storage, read> anchor1: array<Storage>;
@group(0) @binding(4) var<storage, read> anchor2: array<Storage>;
@group(0) @binding(5) var<storage, read> anchor3: array<Storage>;
@group(0) @binding(6) var<storage, read> anchor4: array<Storage>;
@group(0) @binding(7) var<storage, read> anchor5: array<Storage>;
@group(0) @binding(8) var<storage, read> anchor6: array<Storage>;
@group(0) @binding(2) var<storage, read_write> output: Products;

var<workgroup> lanes: array<Products, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn multiply(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  var sums: Products;
  let vectors = (extent.length + 3u) / 4u;
  let stride = extent.workgroups * workgroup_size;
  for (var i = workgroup.x * workgroup_size + local; i < vectors; i += stride) {
    let inside = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(extent.length);
    let e0 = only(inside, vec4<f32>(anchor0[i]));
    sums[0] += dot(e0, e0);
    if (extent.older < 1u) {
      continue;
    }
    let a1 = only(inside, vec4<f32>(anchor1[i]));
    let e1 = e0 - a1;
    sums[1] += dot(e0, e1);
    sums[2] += dot(e1, e1);
    if (extent.older < 2u) {
      continue;
    }
    let a2 = only(inside, vec4<f32>(anchor2[i]));
    let e2 = a1 - a2;
    sums[3] += dot(e0, e2);
    sums[4] += dot(e1, e2);
    sums[5] += dot(e2, e2);
    if (extent.older < 3u) {
      continue;
    }
    let a3 = only(inside, vec4<f32>(anchor3[i]));
    let e3 = a2 - a3;
    sums[6] += dot(e0, e3);
    sums[7] += dot(e1, e3);
    sums[8] += dot(e2, e3);
    sums[9] += dot(e3, e3);
    if (extent.older < 4u) {
      continue;
    }
    let a4 = only(inside, vec4<f32>(anchor4[i]));
    let e4 = a3 - a4;
    sums[10] += dot(e0, e4);
    sums[11] += dot(e1, e4);
    sums[12] += dot(e2, e4);
    sums[13] += dot(e3, e4);
    sums[14] += dot(e4, e4);
    if (extent.older < 5u) {
      continue;
    }
    let a5 = only(inside, vec4<f32>(anchor5[i]));
    let e5 = a4 - a5;
    sums[15] += dot(e0, e5);
    sums[16] += dot(e1, e5);
    sums[17] += dot(e2, e5);
    sums[18] += dot(e3, e5);
    sums[19] += dot(e4, e5);
    sums[20] += dot(e5, e5);
    if (extent.older < 6u) {
      continue;
    }
    let a6 = only(inside, vec4<f32>(anchor6[i]));
    let e6 = a5 - a6;
    sums[21] += dot(e0, e6);
    sums[22] += dot(e1, e6);
    sums[23] += dot(e2, e6);
    sums[24] += dot(e3, e6);
    sums[25] += dot(e4, e6);
    sums[26] += dot(e5, e6);
    sums[27] += dot(e6, e6);
  }
  lanes[local] = sums;
  add_lanes(local);
  if (local < PRODUCTS) {
    workgroup_sums[workgroup.x][local] = lanes[0][local];
  }
}

@compute @workgroup_size(workgroup_size)
fn add_up(@builtin(local_invocation_index) local: u32) {
  for (var row = local; row < extent.workgroups; row += workgroup_size) {
    for (var p = 0u; p < PRODUCTS; p++) {
      lanes[local][p] += workgroup_sums[row][p];
    }
  }
  add_lanes(local);
  if (local < PRODUCTS) {
    output[local] = lanes[0][local];
  }
}

/// Four numbers, or zero for those past the end: chosen, not multiplied, as they may be NaN.
fn only(inside: vec4<bool>, numbers: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(), numbers, inside);
}

/// Adds up all lanes into the first, the upper half onto the lower one until one is left.
fn add_lanes(local: u32) {
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      for (var p = 0u; p < PRODUCTS; p++) {
        lanes[local][p] += lanes[local + half][p];
      }
    }
  }
  workgroupBarrier();
}
