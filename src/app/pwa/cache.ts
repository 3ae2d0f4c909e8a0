/** Name of the cache of ONNX Runtime's builds; pages of one host in several folders share none. */
export const runtimeCache = (scope: string): string => `hicache-runtimes-${scope}`;

/** The page's message to a waiting service worker. */
export const TAKE_OVER = 'take over';
