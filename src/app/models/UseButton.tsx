import { model, run } from '../state.ts';
import { modelKey } from './choice.ts';
import { open } from './state.ts';

interface Props {
  /** Of the model; see `modelKey`. */
  readonly modelKey: string;
  readonly title: string;
  readonly text?: string;
  readonly onUse: () => void;
}

/** Lets a model make the pictures from now on, and shows how it loads. */
export function UseButton({ modelKey: key, title, text = 'Use', onUse }: Props) {
  const inUse = modelKey(model.value) === key;
  const busy = run.value !== undefined;
  const use = () => {
    if (inUse || busy) return;
    open.value = false;
    onUse();
  };
  return (
    <button
      type="button"
      class={inUse ? 'in-use' : ''}
      aria-label={inUse ? `${title} is in use` : `Use ${title}`}
      aria-disabled={inUse || busy}
      title={busy && !inUse ? 'As soon as the picture is done or cancelled' : undefined}
      onClick={use}
    >
      {inUse ? 'In use' : text}
    </button>
  );
}
