/** Plain vector arithmetic for features in tests. */
import { Gram } from '../../../src/forecast/verification/gram.ts';

export type Vector = readonly number[];

export const dot = (a: Vector, b: Vector): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0);
export const minus = (a: Vector, b: Vector): number[] => a.map((value, i) => value - b[i]!);
export const scaled = (a: Vector, factor: number): number[] => a.map((value) => value * factor);
export const sum = (vectors: readonly Vector[]): number[] =>
  vectors[0]!.map((_, i) => vectors.reduce((total, vector) => total + vector[i]!, 0));

/** The Gram matrix as a backend gives it: of the newest anchor and the successive differences. */
export function gramOf(anchors: readonly Vector[]): Gram {
  const parts = anchors.map((anchor, i) => (i === 0 ? anchor : minus(anchors[i - 1]!, anchor)));
  const products = parts.flatMap((a, i) => parts.slice(i).map((b) => dot(a, b)));
  return new Gram(products, anchors.length - 1);
}
