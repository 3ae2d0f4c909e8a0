/** The two backends, and what people choose between. */
export type BackendKind = 'webgpu' | 'cpu';

/** `auto` runs on the GPU if there is a usable one. */
export type BackendChoice = 'auto' | BackendKind;
