/** Labelled choices among a few named values. */
import { useId } from 'preact/hooks';

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly names: Readonly<Record<T, string>>;
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** All values side by side. */
export function Segments<T extends string>({ label, names, value, onChange }: ChoiceProps<T>) {
  const group = useId();
  return (
    <fieldset class="segments">
      <legend>{label}</legend>
      {entriesOf(names).map(([choice, name]) => (
        <label key={choice}>
          <input
            type="radio"
            name={group}
            value={choice}
            checked={value === choice}
            onChange={() => onChange(choice)}
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface SelectProps<T extends string> extends ChoiceProps<T> {
  /** Why it has no effect with the other settings, if so. */
  readonly unused?: string | undefined;
}

/** One value in sight, the others behind it. */
export function Select<T extends string>(props: SelectProps<T>) {
  const { label, names, value, unused, onChange } = props;
  const id = useId();
  const entries = entriesOf(names);
  return (
    <div class={unused ? 'field unused' : 'field'}>
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-describedby={unused && `${id}-unused`}
        onChange={(event) => {
          const chosen = entries[event.currentTarget.selectedIndex];
          if (chosen) onChange(chosen[0]);
        }}
      >
        {entries.map(([choice, name]) => (
          <option key={choice} value={choice}>
            {name}
          </option>
        ))}
      </select>
      {unused && (
        <p class="hint" id={`${id}-unused`}>
          {unused}
        </p>
      )}
    </div>
  );
}

interface SwitchProps {
  readonly label: string;
  readonly hint: string;
  readonly value: boolean;
  readonly unused: boolean;
  readonly onChange: (value: boolean) => void;
}

export function Switch({ label, hint, value, unused, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div class={unused ? 'switch unused' : 'switch'}>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={value}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
}

function entriesOf<T extends string>(names: Readonly<Record<T, string>>): [T, string][] {
  return Object.entries(names) as [T, string][];
}
