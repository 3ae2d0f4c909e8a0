/** Layers as the model definitions name them, each a few ONNX nodes. */
import { real, type GraphBuilder, type Value } from './builder.ts';
import type { Weights } from '../quantize/weights.ts';
import { HALF_BOUND } from '../../shared/half.ts';
import { BLOCK } from '../quantize/quantize.ts';

/** A graph under construction and the weights that its layers take. */
export class Layers {
  constructor(
    readonly graph: GraphBuilder,
    readonly weights: Weights,
  ) {}

  /** torch.nn.Linear on the last axis, [.., inputs] to [.., outputs], with its bias if it has one. */
  async linear(x: Value, module: string): Promise<Value> {
    const bias = this.weights.has(`${module}.bias`) ? await this.vector(`${module}.bias`) : '';
    return this.linearWith(x, module, bias);
  }

  /** The same with another bias, [outputs], or none if ''. */
  async linearWith(x: Value, module: string, bias: Value): Promise<Value> {
    const { graph } = this;
    graph.within(module);
    const stored = await this.weights.matrix(module);
    if (stored.kind === 'dense') {
      const product = graph.op('MatMul', [x, graph.weight(stored.matrix)]);
      return bias === '' ? product : graph.op('Add', [product, bias]);
    }
    const inputs = [x, graph.weight(stored.packed), graph.weight(stored.scales)];
    if (bias !== '') inputs.push('', '', bias);
    return graph.op('MatMulNBits', inputs, {
      K: stored.inputs,
      N: stored.outputs,
      bits: stored.bits,
      block_size: BLOCK,
    });
  }

  /** A bias, norm scale or table, in the graph's precision. */
  async vector(name: string): Promise<Value> {
    return this.graph.weight(await this.weights.tensor(name));
  }

  /** torch.nn.LayerNorm with scale and bias, over the last axis. */
  async layerNorm(x: Value, module: string, epsilon: number): Promise<Value> {
    const scale = await this.vector(`${module}.weight`);
    const bias = await this.vector(`${module}.bias`);
    this.graph.within(module);
    return this.graph.op('LayerNormalization', [x, scale, bias], { epsilon: real(epsilon) });
  }

  /** torch.nn.RMSNorm over the last axis. */
  async rmsNorm(x: Value, module: string, epsilon: number): Promise<Value> {
    const scale = await this.vector(`${module}.weight`);
    this.graph.within(module);
    return this.graph.op('SimplifiedLayerNormalization', [x, scale], { epsilon: real(epsilon) });
  }

  /** RMSNorm of each head on its own: x is [1, tokens, heads * headWidth]. */
  async headNorm(x: Value, module: string, heads: number, epsilon: number): Promise<Value> {
    const { graph } = this;
    graph.within(module);
    const split = graph.op('Reshape', [x, graph.integers([0, 0, heads, -1])]);
    const normed = await this.rmsNorm(split, module, epsilon);
    return graph.op('Reshape', [normed, graph.integers([0, 0, -1])]);
  }

  /** x * sigmoid(x), which is QuickGelu with factor 1. */
  silu(x: Value): Value {
    return this.graph.op('QuickGelu', [x], { alpha: real(1) });
  }

  /**
   * In half precision, `x` kept from overflowing; in float32, `x` itself. Not by Clip: ONNX
   * Runtime's float16 Clip for WebGPU is a shader that Firefox refuses.
   */
  finite(x: Value): Value {
    const { graph } = this;
    if (graph.precision === 'float32') return x;
    const raised = graph.op('Max', [x, graph.scalar(-HALF_BOUND)]);
    return graph.op('Min', [raised, graph.scalar(HALF_BOUND)]);
  }

  /** Positions `from` to `to` (exclusive) along an axis. */
  slice(x: Value, axis: number, from: number, to: number): Value {
    const { graph } = this;
    return graph.op('Slice', [
      x,
      graph.integers([from]),
      graph.integers([to]),
      graph.integers([axis]),
    ]);
  }
}
