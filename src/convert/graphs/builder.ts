/** Builds one ONNX graph: inputs, nodes, constants and weights kept in external data files. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from '../../bundle/proto/onnx_pb.ts';

/** Versions of the format and of the ai.onnx operators; 8 and 18 are understood since 2023. */
const IR_VERSION = 8n;
const OPERATOR_SET = 18n;

/** What a graph computes in. */
export type Precision = 'float32' | 'float16';
export type ElementType = Precision | 'int32' | 'int64' | 'uint8';
/** A size, or the name of one that is known only at run time. */
export type Dimension = number | string;
/** A tensor of the graph, by its name; '' stands for an optional input that is not given. */
export type Value = string;

/** A tensor in an external data file. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The file, beside the graph; position and length in bytes. */
  readonly location: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Numbers are integers unless wrapped by `real`. */
export type Attribute = number | string | readonly number[] | { readonly real: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export const real = (value: number): Attribute => ({ real: value });

/** The domain of ONNX Runtime's own operators. */
const CONTRIB = 'com.microsoft';
const CONTRIB_OPERATORS = new Set([
  'FastGelu',
  'Gelu',
  'MatMulNBits',
  'MultiHeadAttention',
  'QuickGelu',
  'RotaryEmbedding',
]);

const DATA_TYPES: Record<ElementType, DataType> = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
};

export class GraphBuilder {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers: TensorProto[] = [];
  private readonly inputs: ValueInfoProto[] = [];
  private readonly outputs: ValueInfoProto[] = [];
  /** Weights and constants already in the graph, by what they hold. */
  private readonly known = new Map<string, Value>();
  private scope = '';

  constructor(
    private readonly name: string,
    readonly precision: Precision,
  ) {}

  /** Names of the following nodes begin with `scope`. */
  within(scope: string): void {
    this.scope = scope;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.inputs.push(valueInfo(name, type, shape));
    return name;
  }

  /** Makes `value` a result of the graph, under the given name. */
  output(name: string, type: ElementType, shape: readonly Dimension[], value: Value): void {
    for (const node of this.nodes) {
      node.input = node.input.map((input) => (input === value ? name : input));
      node.output = node.output.map((output) => (output === value ? name : output));
    }
    this.outputs.push(valueInfo(name, type, shape));
  }

  /** A node with one result. */
  op(operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(operator, inputs, 1, attributes)[0]!;
  }

  ops(
    operator: string,
    inputs: readonly Value[],
    results: number,
    attributes: Attributes = {},
  ): Value[] {
    const name = `${this.scope}/${operator}_${this.nodes.length}`;
    const output = Array.from({ length: results }, (_, i) =>
      results === 1 ? name : `${name}:${i}`,
    );
    this.nodes.push(
      create(NodeProtoSchema, {
        name,
        opType: operator,
        domain: CONTRIB_OPERATORS.has(operator) ? CONTRIB : '',
        input: [...inputs],
        output,
        attribute: Object.entries(attributes).map(([key, value]) => attributeOf(key, value)),
      }),
    );
    return output;
  }

  cast(value: Value, type: ElementType): Value {
    return this.op('Cast', [value], { to: DATA_TYPES[type] });
  }

  /** A list of integers for an operator's shape, starts, sizes, ...: int64, inside the graph. */
  integers(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.inline(`int64[${values.join()}]`, 'int64', [values.length], bytes);
  }

  /** Float32 numbers inside the graph, in the graph's precision or in float32. */
  floats(
    name: string,
    shape: readonly number[],
    values: ArrayLike<number>,
    type: Precision = this.precision,
  ): Value {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    const value = this.inline(name, 'float32', shape, bytes);
    return type === 'float32' ? value : this.castOnce(value, type);
  }

  /** One float32 number in the graph's precision; it broadcasts. */
  scalar(value: number): Value {
    return this.floats(`scalar ${value}`, [1], [value]);
  }

  /**
   * A weight from a data file. Numbers stored in another precision than the graph's get a
   * Cast, which ONNX Runtime folds when it loads the graph.
   */
  weight(tensor: StoredTensor): Value {
    let value = this.known.get(tensor.name);
    if (value === undefined) {
      value = tensor.name;
      this.known.set(tensor.name, value);
      this.initializers.push(externalTensor(tensor));
    }
    const isFloat = tensor.type === 'float32' || tensor.type === 'float16';
    return isFloat && tensor.type !== this.precision ? this.castOnce(value, this.precision) : value;
  }

  /** The finished file. */
  encode(): Uint8Array<ArrayBuffer> {
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'hicache-studio',
      opsetImport: [
        { domain: '', version: OPERATOR_SET },
        { domain: CONTRIB, version: 1n },
      ],
      graph: create(GraphProtoSchema, {
        name: this.name,
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: this.outputs,
      }),
    });
    return toBinary(ModelProtoSchema, model);
  }

  private castOnce(value: Value, type: Precision): Value {
    const key = `${value} as ${type}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const result = this.cast(value, type);
    this.known.set(key, result);
    return result;
  }

  private inline(
    name: string,
    type: ElementType,
    shape: readonly number[],
    bytes: Uint8Array<ArrayBuffer>,
  ): Value {
    if (!this.known.has(name)) {
      this.known.set(name, name);
      const dims = shape.map(BigInt);
      this.initializers.push(
        create(TensorProtoSchema, { name, dims, dataType: DATA_TYPES[type], rawData: bytes }),
      );
    }
    return name;
  }
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  const tensorType = { elemType: DATA_TYPES[type], shape: { dim } };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: tensorType } },
  });
}

function externalTensor(tensor: StoredTensor): TensorProto {
  return create(TensorProtoSchema, {
    name: tensor.name,
    dims: tensor.shape.map(BigInt),
    dataType: DATA_TYPES[tensor.type],
    dataLocation: DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: tensor.location },
      { key: 'offset', value: String(tensor.offset) },
      { key: 'length', value: String(tensor.bytes) },
    ],
  });
}

function attributeOf(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === 'string') {
    const s = new TextEncoder().encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s });
  }
  if ('real' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.real });
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}
