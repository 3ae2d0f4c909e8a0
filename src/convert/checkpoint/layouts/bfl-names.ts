/**
 * Black Forest Labs' names of the transformer's modules and diffusers' names of the same. Where
 * theirs fuse several linear layers into one, diffusers' have a part of its rows each.
 */

/** Sizes that say where fused layers are cut. */
export interface FusedSizes {
  readonly doubleBlocks: number;
  readonly singleBlocks: number;
  readonly hidden: number;
  /** Width inside the feed-forward of a single block. */
  readonly feedForward: number;
}

/** A linear layer, `theirs` and `ours`; `rows` of theirs in our order, all of them if not said. */
export interface Renaming {
  readonly theirs: string;
  readonly ours: string;
  readonly rows?: readonly (readonly [from: number, to: number])[];
}

const EMBEDDERS = {
  img_in: 'x_embedder',
  txt_in: 'context_embedder',
  'time_in.in_layer': 'time_text_embed.timestep_embedder.linear_1',
  'time_in.out_layer': 'time_text_embed.timestep_embedder.linear_2',
  'vector_in.in_layer': 'time_text_embed.text_embedder.linear_1',
  'vector_in.out_layer': 'time_text_embed.text_embedder.linear_2',
  'final_layer.linear': 'proj_out',
};

const GUIDANCE = {
  'guidance_in.in_layer': 'time_text_embed.guidance_embedder.linear_1',
  'guidance_in.out_layer': 'time_text_embed.guidance_embedder.linear_2',
};

const DOUBLE = {
  'img_mod.lin': 'norm1.linear',
  'txt_mod.lin': 'norm1_context.linear',
  'img_attn.proj': 'attn.to_out.0',
  'txt_attn.proj': 'attn.to_add_out',
  'img_mlp.0': 'ff.net.0.proj',
  'img_mlp.2': 'ff.net.2',
  'txt_mlp.0': 'ff_context.net.0.proj',
  'txt_mlp.2': 'ff_context.net.2',
};

const FUSED = {
  'img_attn.qkv': ['attn.to_q', 'attn.to_k', 'attn.to_v'],
  'txt_attn.qkv': ['attn.add_q_proj', 'attn.add_k_proj', 'attn.add_v_proj'],
};

const SINGLE = { 'modulation.lin': 'norm.linear', linear2: 'proj_out' };

const DOUBLE_NORMS = {
  'img_attn.norm.query_norm': 'attn.norm_q',
  'img_attn.norm.key_norm': 'attn.norm_k',
  'txt_attn.norm.query_norm': 'attn.norm_added_q',
  'txt_attn.norm.key_norm': 'attn.norm_added_k',
};

const SINGLE_NORMS = { 'norm.query_norm': 'attn.norm_q', 'norm.key_norm': 'attn.norm_k' };

/** All linear layers, those of the guidance too. */
export function* linearRenamings(sizes: FusedSizes): Generator<Renaming> {
  const { doubleBlocks, singleBlocks, hidden, feedForward } = sizes;
  yield* within('', '', { ...EMBEDDERS, ...GUIDANCE });
  for (let i = 0; i < doubleBlocks; i++) {
    const theirs = `double_blocks.${i}.`;
    const ours = `transformer_blocks.${i}.`;
    yield* within(theirs, ours, DOUBLE);
    for (const [fused, parts] of Object.entries(FUSED)) {
      yield* cut(theirs + fused, ours, parts, [hidden, hidden, hidden]);
    }
  }
  for (let i = 0; i < singleBlocks; i++) {
    const theirs = `single_blocks.${i}.`;
    const ours = `single_transformer_blocks.${i}.`;
    yield* within(theirs, ours, SINGLE);
    const parts = ['attn.to_q', 'attn.to_k', 'attn.to_v', 'proj_mlp'];
    yield* cut(`${theirs}linear1`, ours, parts, [hidden, hidden, hidden, feedForward]);
  }
  yield {
    theirs: 'final_layer.adaLN_modulation.1',
    ours: 'norm_out.linear',
    // Theirs has the shift before the scale.
    rows: [
      [hidden, 2 * hidden],
      [0, hidden],
    ],
  };
}

/** The norms of queries and keys, whose one tensor is `scale` to them and `weight` to diffusers. */
export function* normRenamings({ doubleBlocks, singleBlocks }: FusedSizes): Generator<Renaming> {
  for (let i = 0; i < doubleBlocks; i++) {
    yield* within(`double_blocks.${i}.`, `transformer_blocks.${i}.`, DOUBLE_NORMS);
  }
  for (let i = 0; i < singleBlocks; i++) {
    yield* within(`single_blocks.${i}.`, `single_transformer_blocks.${i}.`, SINGLE_NORMS);
  }
}

function* within(
  theirs: string,
  ours: string,
  names: Readonly<Record<string, string>>,
): Generator<Renaming> {
  for (const [one, other] of Object.entries(names)) {
    yield { theirs: theirs + one, ours: ours + other };
  }
}

function* cut(
  theirs: string,
  ours: string,
  parts: readonly string[],
  heights: readonly number[],
): Generator<Renaming> {
  let from = 0;
  for (const [i, part] of parts.entries()) {
    const to = from + heights[i]!;
    yield { theirs, ours: ours + part, rows: [[from, to]] };
    from = to;
  }
}
