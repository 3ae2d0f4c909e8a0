import { fromHalf } from '../../../src/shared/half.ts';

/**
 * The numbers as engines with `Float16Array` hold a float16 tensor: theirs where this one has the
 * class, else (Node 20) an array over the same bits that reads, iterates and names itself alike.
 */
export function float16Array(bits: Uint16Array): ArrayLike<number> {
  const { Float16Array } = globalThis as unknown as {
    Float16Array?: new (buffer: ArrayBufferLike, at: number, length: number) => ArrayLike<number>;
  };
  if (Float16Array) return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
  return new Proxy(bits, {
    get(target, key) {
      if (key === Symbol.toStringTag) return 'Float16Array';
      if (key === Symbol.iterator) return () => Array.from(target, fromHalf).values();
      if (typeof key === 'string' && /^\d+$/.test(key)) return fromHalf(target[Number(key)]!);
      return Reflect.get(target, key, target) as unknown;
    },
  });
}
