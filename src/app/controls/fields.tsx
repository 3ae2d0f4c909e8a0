/** Labelled inputs for numbers. A number's field that holds none gives NaN. */
import { useEffect, useId, useRef } from 'preact/hooks';

interface NumberInputProps {
  readonly id: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly disabled?: boolean;
  readonly problem?: string | undefined;
  readonly describedBy?: string | undefined;
  readonly label?: string;
  readonly onChange: (value: number) => void;
}

/** Keeps what is being typed: the text changes only where the value really differs from it. */
export function NumberInput(props: NumberInputProps) {
  const { id, value, min, max, step = 1, disabled, problem, describedBy, label } = props;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const field = input.current;
    if (field && !Object.is(field.valueAsNumber, value)) {
      field.value = Number.isNaN(value) ? '' : String(value);
    }
  }, [value]);
  return (
    <input
      ref={input}
      id={id}
      class="number"
      type="number"
      inputMode="decimal"
      min={min}
      max={max}
      step={step}
      disabled={disabled}
      aria-label={label}
      aria-invalid={problem !== undefined}
      aria-describedby={describedBy}
      onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)}
    />
  );
}

interface NumberFieldProps extends Omit<NumberInputProps, 'id' | 'label'> {
  readonly label: string;
}

/** `describedBy` is the id of the text that tells the problem. */
export function NumberField({ label, ...rest }: NumberFieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <NumberInput id={id} {...rest} />
    </div>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly disabled?: boolean;
  readonly problem?: string | undefined;
  readonly describedBy?: string | undefined;
  readonly onChange: (value: string) => void;
}

/** For digits that a number would round. */
export function TextField(props: TextFieldProps) {
  const { label, value, disabled, problem, describedBy, onChange } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="number"
        type="text"
        autoComplete="off"
        spellcheck={false}
        value={value}
        disabled={disabled}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}

interface SliderFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  /** Where the slider begins and ends; the number may go on to `least` and `most`. */
  readonly min: number;
  readonly max: number;
  readonly least?: number;
  readonly most?: number;
  readonly step: number;
  /** Equal ways along the slider are equal factors. */
  readonly logarithmic?: boolean;
  /** The other settings leave this one without effect. */
  readonly unused?: boolean;
  readonly problem?: string | undefined;
  /** What the value means, to show in place of the number. */
  readonly text?: string;
  readonly onChange: (value: number) => void;
}

/**
 * Positions of a logarithmic slider. Over two powers of ten they are so far apart that each has a
 * value of two digits of its own, and the arrow keys never stand still.
 */
const POSITIONS = 40;

/** A slider and a number for the same value, or what the value means. */
export function SliderField(props: SliderFieldProps) {
  const { label, hint, value, min, max, step, unused, problem, onChange } = props;
  const { least = min, most = max, logarithmic = false, text } = props;
  const id = useId();
  const within = Number.isNaN(value) ? min : Math.max(min, Math.min(max, value));
  const share = logarithmic
    ? Math.log(within / min) / Math.log(max / min)
    : (within - min) / (max - min);
  const ends = logarithmic ? { min: 0, max: POSITIONS, step: 1 } : { min, max, step };
  const valueAt = (position: number): number =>
    logarithmic ? Number((min * (max / min) ** (position / POSITIONS)).toPrecision(2)) : position;
  return (
    <div class={unused ? 'field slider unused' : 'field slider'}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        {...ends}
        value={logarithmic ? Math.round(POSITIONS * share) : within}
        aria-valuetext={text ?? String(value)}
        aria-describedby={`${id}-hint`}
        style={{ '--filled': `${100 * (share || 0)}%` }}
        onInput={(event) => onChange(valueAt(event.currentTarget.valueAsNumber))}
      />
      {text === undefined ? (
        <NumberInput
          id={`${id}-number`}
          label={`${label}, as a number`}
          value={value}
          min={least}
          max={most}
          step={step}
          problem={problem}
          describedBy={`${id}-hint`}
          onChange={onChange}
        />
      ) : (
        <output for={id}>{text}</output>
      )}
      <p class={problem ? 'problem' : 'hint'} id={`${id}-hint`}>
        {problem ?? (unused ? 'Not used by this basis.' : hint)}
      </p>
    </div>
  );
}
