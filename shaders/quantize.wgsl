// Quantize: rows of a matrix, f32, to blocks of 32 codes of 4 or 8 bits with a scale each, as
// MatMulNBits has them: weight = scale * (code - middle). The scale is searched for the least
// squared error, as src/convert/quantize/scale-search.ts does, whose choice this is but for ties in rounding.
//
// Dispatch  one invocation per block, in a row of workgroups of `workgroup_size`.
// Loads     each invocation reads its own 32 numbers and writes its own codes. Scales are half as
//           wide as a word: each even invocation writes its own and its neighbour's. A workgroup
//           adds up its squared errors by halves and writes one sum.
// Numbers   a block is divided by a power of two first, so that its largest magnitude is in 1..2
//           and no square is out of range. Halves are made and read by integer arithmetic, since
//           WGSL leaves the rounding of its own conversions open.
// Sizes     quantize.ts puts constants before this text: BITS, VECTORS (of four numbers in a
//           block) and SHRINKS (how far the range is shrunk in search).

/// A power of two, so that it can be halved.
override workgroup_size: u32;

/// The levels are -TOP - 1 to TOP, and their codes begin at 0.
const TOP = f32((1u << (BITS - 1u)) - 1u);
const BOTTOM = -TOP - 1.0;

/// In half precision, above zero.
const SMALLEST_HALF = 0x1p-24;

alias Block = array<vec4<f32>, VECTORS>;

struct Extent {
  blocks: u32,
}

@group(0) @binding(0) var<uniform> extent: Extent;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> packed: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<u32>;
@group(0) @binding(4) var<storage, read_write> workgroup_errors: array<f32>;

var<workgroup> lane_scales: array<u32, workgroup_size>;
var<workgroup> lane_errors: array<f32, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
) {
  let block = workgroup.x * workgroup_size + local;
  var result: Scale;
  if (block < extent.blocks) {
    result = quantize(block);
  }
  lane_scales[local] = result.bits;
  lane_errors[local] = result.error;
  for (var half = workgroup_size / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      lane_errors[local] += lane_errors[local + half];
    }
  }
  if (block < extent.blocks && local % 2u == 0u) {
    scales[block / 2u] = lane_scales[local] | (lane_scales[local + 1u] << 16u);
  }
  if (local == 0u) {
    workgroup_errors[workgroup.x] = lane_errors[0];
  }
}

struct Scale {
  /// Half precision.
  bits: u32,
  /// Squared error of the block under it.
  error: f32,
}

/// Writes the codes of a block, and gives its scale.
fn quantize(block: u32) -> Scale {
  var v: Block;
  var extreme = 0.0;
  for (var i = 0u; i < VECTORS; i++) {
    v[i] = weights[block * VECTORS + i];
    for (var j = 0u; j < 4u; j++) {
      // Of equals the first, whose sign decides which way the longer side of the range lies.
      if (abs(v[i][j]) > abs(extreme)) {
        extreme = v[i][j];
      }
    }
  }
  // The power of two below the extreme, and 1 over it. No weight is beyond 2^23.
  let exponent = (bitcast<u32>(extreme) >> 23u) & 255u;
  let unit = bitcast<f32>(exponent << 23u);
  let units = bitcast<f32>((254u - exponent) << 23u);
  for (var i = 0u; i < VECTORS; i++) {
    v[i] *= units;
  }
  extreme *= units;

  var bits = to_half(abs(extreme) / TOP * unit);
  var error = error_under(&v, from_half(bits) * units);
  let searched = to_half(least_squares(&v, extreme) * unit);
  // Infinite if the usual scale is among the largest halves.
  if ((searched & 0x7c00u) != 0x7c00u) {
    let searched_error = error_under(&v, from_half(searched) * units);
    if (searched_error < error) {
      bits = searched;
      error = searched_error;
    }
  }
  encode(&v, from_half(bits) * units, block);
  return Scale(bits, error * unit * unit);
}

/// The best scale among shrunk ranges of both signs, each improved by least squares.
fn least_squares(v: ptr<function, Block>, extreme: f32) -> f32 {
  var found = 0.0;
  if (extreme == 0.0) {
    return found;
  }
  var least = error_under(v, 0.0);
  for (var side = 0u; side < 2u; side++) {
    let reach = select(TOP, BOTTOM, side == 0u);
    for (var k = 0u; k < SHRINK_COUNT; k++) {
      let scale = extreme / reach * SHRINKS[k];
      let inverse = 1.0 / scale;
      // With r = v - scale * q, r·q / q·q is what the scale lacks, and (r·q)² / q·q the squared
      // error that it then saves. These are small numbers, which lose nothing in f32.
      var rr = 0.0;
      var rq = 0.0;
      var qq = 0.0;
      for (var i = 0u; i < VECTORS; i++) {
        let q = levels((*v)[i] * inverse);
        let r = (*v)[i] - scale * q;
        rr += dot(r, r);
        rq += dot(r, q);
        qq += dot(q, q);
      }
      let error = rr - rq * rq / qq;
      if (error < least) {
        least = error;
        found = scale + rq / qq;
      }
    }
  }
  return found;
}

fn error_under(v: ptr<function, Block>, scale: f32) -> f32 {
  let inverse = inverse_of(scale);
  var sum = 0.0;
  for (var i = 0u; i < VECTORS; i++) {
    let r = (*v)[i] - scale * levels((*v)[i] * inverse);
    sum += dot(r, r);
  }
  return sum;
}

/// Of the codes in a word the first is the lowest.
fn encode(v: ptr<function, Block>, scale: f32, block: u32) {
  let inverse = inverse_of(scale);
  const VECTORS_A_WORD = 8u / BITS;
  const WORDS = VECTORS / VECTORS_A_WORD;
  for (var word = 0u; word < WORDS; word++) {
    var bits = 0u;
    for (var i = 0u; i < VECTORS_A_WORD; i++) {
      let codes = vec4<u32>(levels((*v)[word * VECTORS_A_WORD + i] * inverse) - BOTTOM);
      let shifted = codes << (vec4<u32>(0u, 1u, 2u, 3u) * BITS + 4u * BITS * i);
      bits |= shifted.x | shifted.y | shifted.z | shifted.w;
    }
    packed[block * WORDS + word] = bits;
  }
}

/// The nearest levels; of two the greater.
fn levels(values: vec4<f32>) -> vec4<f32> {
  return clamp(floor(values + 0.5), vec4<f32>(BOTTOM), vec4<f32>(TOP));
}

fn inverse_of(scale: f32) -> f32 {
  if (scale == 0.0) {
    return 0.0;
  }
  return 1.0 / scale;
}

/// Bits of the nearest half precision number; ties go to the even one.
fn to_half(value: f32) -> u32 {
  let word = bitcast<u32>(value);
  let sign = (word >> 16u) & 0x8000u;
  let magnitude = word & 0x7fffffffu;
  // 65520 is the first number that rounds to infinity.
  if (magnitude >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (magnitude >= 0x38800000u) {
    let rounded = magnitude + 0xfffu + ((magnitude >> 13u) & 1u);
    return sign | ((rounded - 0x38000000u) >> 13u);
  }
  // Subnormal: a multiple of 2^-24. What is below half of that is zero.
  let exponent = magnitude >> 23u;
  if (exponent < 102u) {
    return sign;
  }
  let significand = (magnitude & 0x7fffffu) | 0x800000u;
  let shift = 126u - exponent;
  let rounded = significand + (1u << (shift - 1u)) - 1u + ((significand >> shift) & 1u);
  return sign | (rounded >> shift);
}

/// The number that finite half precision bits stand for.
fn from_half(bits: u32) -> f32 {
  let sign = select(1.0, -1.0, (bits & 0x8000u) != 0u);
  let magnitude = bits & 0x7fffu;
  if (magnitude < 0x0400u) {
    return sign * f32(magnitude) * SMALLEST_HALF;
  }
  return sign * bitcast<f32>((magnitude << 13u) + 0x38000000u);
}
