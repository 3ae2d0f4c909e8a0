/** What the page knows of the model that comes with it, before the engine has loaded it. */
import {
  defaults,
  examples,
  licence,
  sizes,
  title,
  transformer,
  vocabulary,
} from '../../../public/models/pocket/manifest.json';
import type { EngineInfo } from '../../workers/engine/api.ts';

/** The same as the engine says of it, so that nothing on the page moves when the engine is ready. */
export const BUILT_IN_MODEL: EngineInfo['model'] = {
  title,
  licence,
  examples,
  sizes,
  defaultSteps: defaults.steps,
  defaultGuidance: transformer.guidance ? defaults.guidance : null,
  hasVocabulary: vocabulary !== '',
};
