/** A T5 tokenizer.json from a SentencePiece model, as transformers' T5Tokenizer makes it. */
import { fromBinary } from '@bufbuild/protobuf';
import { base64Encode } from '@bufbuild/protobuf/wire';
import {
  type ModelProto,
  ModelProto_SentencePiece_Type as PieceType,
  ModelProtoSchema,
  TrainerSpec_ModelType as ModelType,
} from '../../bundle/proto/sentencepiece_pb.ts';
import { T5_END, T5_PAD } from './check.ts';
import { addedToken, FieldError } from './vocabulary.ts';

/** Placeholders of T5's pretraining, which its vocabulary ends with, the first one last. */
const EXTRA_IDS = 100;

/** @throws FieldError that begins with the field. */
export function t5FromSentencePiece(bytes: Uint8Array): string {
  const model = parse(bytes);
  checkSpecs(model);
  const pieces = model.pieces.map(({ piece }) => piece);
  const end = pieces.indexOf(T5_END);
  if (end < 0) throw new FieldError(`pieces: there is no ${T5_END}`);
  if (!pieces.includes(T5_PAD)) throw new FieldError(`pieces: there is no ${T5_PAD}`);
  const unknown = model.pieces.findIndex(({ type }) => type === PieceType.UNKNOWN);
  if (unknown < 0) throw new FieldError('pieces: none is for unknown text');

  const known = new Set(pieces);
  const extra = Array.from(
    { length: EXTRA_IDS },
    (_, i) => `<extra_id_${EXTRA_IDS - 1 - i}>`,
  ).filter((token) => !known.has(token));
  const words = { replacement: '▁', prepend_scheme: 'always', split: true };
  const charsmap = model.normalizerSpec?.precompiledCharsmap;
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      ...model.pieces.flatMap(({ piece, type }, id) =>
        isFoundFirst(type) ? [addedToken(id, piece, type !== PieceType.USER_DEFINED)] : [],
      ),
      ...extra.map((token, i) => addedToken(pieces.length + i, token, true)),
    ],
    normalizer: charsmap?.length
      ? { type: 'Precompiled', precompiled_charsmap: base64Encode(charsmap) }
      : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', ...words }],
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [sequence('A'), special(T5_END)],
      pair: [sequence('A'), special(T5_END), sequence('B'), special(T5_END)],
      special_tokens: { [T5_END]: { id: T5_END, ids: [end], tokens: [T5_END] } },
    },
    decoder: { type: 'Metaspace', ...words },
    model: {
      type: 'Unigram',
      unk_id: unknown,
      vocab: [
        ...model.pieces.map(({ piece, score }) => [piece, score]),
        ...extra.map((token) => [token, 0]),
      ],
      byte_fallback: false,
    },
  });
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new FieldError('is not a SentencePiece model', { cause });
  }
}

/** Settings that the tokenizer.json above has no place for. */
function checkSpecs({ pieces, trainerSpec, normalizerSpec }: ModelProto): void {
  if (pieces.length === 0) throw new FieldError('pieces: there are none');
  const broken = pieces.findIndex(({ piece, score }) => piece === '' || !Number.isFinite(score));
  if (broken >= 0) throw new FieldError(`pieces[${broken}]: is no text with a score`);
  if (trainerSpec && trainerSpec.modelType !== ModelType.UNIGRAM) {
    throw new FieldError('trainer_spec.model_type: is not unigram');
  }
  if (trainerSpec?.byteFallback)
    throw new FieldError('trainer_spec.byte_fallback: is not supported');
  if (trainerSpec?.treatWhitespaceAsSuffix) {
    throw new FieldError('trainer_spec.treat_whitespace_as_suffix: is not supported');
  }
  if (!normalizerSpec) return;
  const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = normalizerSpec;
  if (!addDummyPrefix) throw new FieldError('normalizer_spec.add_dummy_prefix: must be true');
  if (!removeExtraWhitespaces) {
    throw new FieldError('normalizer_spec.remove_extra_whitespaces: must be true');
  }
  if (!escapeWhitespaces) throw new FieldError('normalizer_spec.escape_whitespaces: must be true');
}

function isFoundFirst(type: PieceType): boolean {
  return (
    type === PieceType.CONTROL || type === PieceType.UNKNOWN || type === PieceType.USER_DEFINED
  );
}

const sequence = (id: string): object => ({ Sequence: { id, type_id: 0 } });
const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
