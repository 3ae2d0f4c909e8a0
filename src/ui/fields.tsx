/** Labelled inputs for numbers. A field that holds no number gives NaN. */
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

interface SliderFieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The other settings leave this one without effect. */
  readonly unused: boolean;
  readonly problem: string | undefined;
  readonly onChange: (value: number) => void;
}

/** A slider and a number for the same value. */
export function SliderField(props: SliderFieldProps) {
  const { label, hint, value, min, max, step, unused, problem, onChange } = props;
  const id = useId();
  return (
    <div class={unused ? 'field slider unused' : 'field slider'}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={Number.isNaN(value) ? min : value}
        aria-describedby={`${id}-hint`}
        style={{ '--filled': `${(100 * ((value || min) - min)) / (max - min)}%` }}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
      <NumberInput
        id={`${id}-number`}
        label={`${label}, as a number`}
        value={value}
        min={min}
        max={max}
        step={step}
        problem={problem}
        describedBy={`${id}-hint`}
        onChange={onChange}
      />
      <p class={problem ? 'problem' : 'hint'} id={`${id}-hint`}>
        {problem ?? (unused ? 'Not used by this basis.' : hint)}
      </p>
    </div>
  );
}
