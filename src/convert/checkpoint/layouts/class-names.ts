/** Refuses diffusers folders of other models by the classes that their configurations name. */
import { AppError } from '../../../shared/errors.ts';
import { readText } from '../../files.ts';
import { isObject } from '../safetensors-header.ts';
import {
  CONVERTIBLE,
  familyOfClass,
  familyOfRepository,
  otherFamily,
  refuseTools,
} from './families.ts';
import type { ModelFolder } from './listing.ts';

const TRANSFORMER = 'transformer/config.json';
const UNET = 'unet/config.json';
const PIPELINE = 'model_index.json';

/** Pipelines of FLUX.1 that need more than text, which ours cannot give them. */
const KONTEXT = 'FluxKontext';

/**
 * @returns what is worth saying of a model that is converted
 * @throws AppError `bad-checkpoint` that names the family
 */
export async function checkClasses(folder: ModelFolder): Promise<readonly string[]> {
  const repository = familyOfRepository(folder.source.name);
  if (repository !== undefined) throw otherFamily(folder.source.name!, repository);
  const pipeline = classIn(await pipelineText(folder));
  if (folder.files.has(TRANSFORMER)) {
    refuseConfig(TRANSFORMER, await readText(folder.source, TRANSFORMER));
  } else if (folder.files.has(UNET)) {
    const name = pipeline ?? 'UNet2DConditionModel';
    throw otherFamily(UNET, familyOfClass(name) ?? 'a model with a UNet', name);
  }
  const family = pipeline === undefined ? undefined : familyOfClass(pipeline);
  if (family !== undefined && !folder.files.has(TRANSFORMER)) {
    throw otherFamily(PIPELINE, family, pipeline);
  }
  return isKontext(folder, pipeline) ? [KONTEXT_NOTE] : [];
}

const KONTEXT_NOTE = 'FLUX.1 Kontext draws from text alone here; images cannot be edited with it.';

function isKontext({ source, files }: ModelFolder, pipeline: string | undefined): boolean {
  if (pipeline?.startsWith(KONTEXT)) return true;
  const weights = [...files].filter((path) => path.endsWith('.safetensors'));
  return [source.name ?? '', ...weights].some((name) => /kontext/i.test(name));
}

/**
 * @param text of a config.json; one that is not valid is somebody else's to refuse
 * @throws AppError `bad-checkpoint` for classes of other families, FLUX.1's image tools and
 *   weights that were quantized
 */
export function refuseConfig(path: string, text: string): void {
  const config = parsed(text);
  const name = config['_class_name'];
  const isTransformer = path === TRANSFORMER;
  if (isTransformer && typeof name === 'string' && name !== 'FluxTransformer2DModel') {
    throw otherFamily(path, familyOfClass(name) ?? 'a model of another kind', name);
  }
  if (isTransformer) refuseTools(path, config['in_channels'], config['out_channels'] ?? undefined);
  const { quantization_config: quantization } = config;
  if (!isObject(quantization)) return;
  const { quant_method: method } = quantization;
  throw new AppError(
    'bad-checkpoint',
    `${path}: quantization_config shows that the weights were quantized${typeof method === 'string' ? ` by ${method}` : ''}.`,
    `Use the model in float16, bfloat16 or float8 instead. ${CONVERTIBLE}`,
  );
}

async function pipelineText({ source, files }: ModelFolder): Promise<string> {
  return files.has(PIPELINE) ? readText(source, PIPELINE) : '{}';
}

function classIn(text: string): string | undefined {
  const name = parsed(text)['_class_name'];
  return typeof name === 'string' ? name : undefined;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}
