/** The numbers that features are stored as, for TypeScript and for the shaders. */

export type Precision = 'float16' | 'float32';

/** Goes before a shader that reads or writes features four numbers at a time, as `Storage`. */
export const STORAGE: Record<
  Precision,
  { readonly prelude: string; readonly vectorBytes: number }
> = {
  float32: { prelude: 'alias Storage = vec4<f32>;\n', vectorBytes: 16 },
  float16: { prelude: 'enable f16;\nalias Storage = vec4<f16>;\n', vectorBytes: 8 },
};
