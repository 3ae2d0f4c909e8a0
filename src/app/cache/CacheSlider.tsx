import { type CacheSettings, LIMITS, settingsProblems } from '../../forecast/settings.ts';
import { changeCache } from '../actions.ts';
import { SliderField } from '../controls/fields.tsx';
import { cache } from '../state.ts';

interface CacheSliderProps {
  readonly name: keyof typeof LIMITS;
  readonly label: string;
  readonly hint: string;
  /** Where the slider ends, if before the setting's limit. */
  readonly max?: number;
  readonly step?: number;
  readonly unused: boolean;
}

/** A slider for one number of the cache settings. */
export function CacheSlider({ name, max, step = 1, ...rest }: CacheSliderProps) {
  const problem = problemOf(name);
  const limits = LIMITS[name];
  return (
    <SliderField
      {...rest}
      value={cache.value[name]}
      min={limits.min}
      max={max ?? limits.max}
      most={limits.max}
      step={step}
      problem={
        problem && `A ${step === 1 ? 'whole ' : ''}number from ${limits.min} to ${limits.max}.`
      }
      onChange={(value) => changeCache({ [name]: value })}
    />
  );
}

/** What is wrong with that setting, if anything. */
export function problemOf(name: keyof CacheSettings): string | undefined {
  return settingsProblems(cache.value).find((text) => text.startsWith(name));
}
