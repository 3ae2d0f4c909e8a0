/**
 * Reading float16 graphs that clip with ONNX's Clip, as this project's converter wrote them once.
 * ONNX Runtime's float16 Clip for WebGPU is a shader that Firefox refuses, and its bounds, half
 * precision's largest numbers, leave no room for the next addition.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { fromHalf, HALF_BOUND, toHalf } from '../shared/half.ts';
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto,
} from './proto/onnx_pb.ts';

const LARGEST_HALF = 65504;

/**
 * The same graph with every `Clip(x, low, high)` as `Min(Max(x, low), high)`, and bounds of
 * ±65504 in half precision as ±60000. All else stays as it is, what this project does not write
 * included.
 */
export function withoutClip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph) {
    for (const bound of new Set(graph.node.filter(isClip).flatMap(({ input }) => input.slice(1)))) {
      narrow(graph, bound);
    }
    graph.node = graph.node.flatMap((node) => (isClip(node) ? minMax(node) : [node]));
  }
  return toBinary(ModelProtoSchema, model);
}

const isClip = ({ opType, domain }: NodeProto): boolean => opType === 'Clip' && domain === '';

/** Either bound may be left out. */
function minMax(clip: NodeProto): NodeProto[] {
  const [x = '', low = '', high = ''] = clip.input;
  const [clipped = ''] = clip.output;
  const node = (opType: string, input: string[], output: string) =>
    create(NodeProtoSchema, { name: `${clip.name}/${opType}`, opType, input, output: [output] });
  if (low === '' && high === '') return [node('Identity', [x], clipped)];
  if (high === '') return [node('Max', [x, low], clipped)];
  if (low === '') return [node('Min', [x, high], clipped)];
  const raised = `${clipped}/raised`;
  return [node('Max', [x, low], raised), node('Min', [raised, high], clipped)];
}

/** Makes a constant ±65504 that only bounds in half precision ±60000. */
function narrow(graph: GraphProto, bound: string): void {
  const cast = graph.node.find(({ opType, output }) => opType === 'Cast' && output[0] === bound);
  const constant = graph.initializer.find(({ name }) => name === (cast ? cast.input[0] : bound));
  if (!constant) return;
  const used = (name: string) => graph.node.filter(({ input }) => input.includes(name));
  const onlyBounds =
    used(bound).every(isClip) && used(constant.name).every((node) => node === cast || isClip(node));
  if (!onlyBounds) return;
  const half = cast
    ? cast.attribute.some(({ name, i }) => name === 'to' && Number(i) === DataType.FLOAT16)
    : constant.dataType === DataType.FLOAT16;
  const value = numberIn(constant);
  if (half && value !== undefined && Math.abs(value) === LARGEST_HALF) {
    setNumber(constant, Math.sign(value) * HALF_BOUND);
  }
}

/** The only number of a float32 or float16 tensor; undefined if there are several, or none here. */
function numberIn({ dataType, rawData }: TensorProto): number | undefined {
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  if (dataType === DataType.FLOAT && rawData.length === 4) return view.getFloat32(0, true);
  if (dataType === DataType.FLOAT16 && rawData.length === 2)
    return fromHalf(view.getUint16(0, true));
  return undefined;
}

function setNumber(tensor: TensorProto, value: number): void {
  const view = new DataView(new ArrayBuffer(tensor.dataType === DataType.FLOAT ? 4 : 2));
  if (tensor.dataType === DataType.FLOAT) view.setFloat32(0, value, true);
  else view.setUint16(0, toHalf(value), true);
  tensor.rawData = new Uint8Array(view.buffer);
}
