import { Icon } from '../controls/Icon.tsx';
import { PixelCanvas } from './PixelCanvas.tsx';
import { Progress } from './Progress.tsx';
import { finished, preview, run } from '../state.ts';
import { Summary } from './Summary.tsx';
import { Timeline } from '../timeline/Timeline.tsx';
import { UnknownWords } from '../prompt/UnknownWords.tsx';

/** Previews are tiny; this many pixels of the canvas for each make them smooth. */
const PREVIEW_SCALE = 16;

/** The picture, its making, and what can be said of it. */
export function Stage() {
  return (
    <section class="stage card" aria-label="Result">
      <div class="frame">
        <Picture />
      </div>
      <Timeline />
      <div class={run.value || finished.value ? 'account active' : 'account'}>
        <UnknownWords />
        <Progress />
        {!run.value && <Summary />}
      </div>
    </section>
  );
}

function Picture() {
  if (run.value) {
    if (!preview.value) return <Empty text="The picture forms here." working />;
    return (
      <PixelCanvas
        image={preview.value}
        width={preview.value.width * PREVIEW_SCALE}
        height={preview.value.height * PREVIEW_SCALE}
        label="Preview of the picture in the making"
        class="preview"
      />
    );
  }
  if (!finished.value) return <Empty text="Your picture appears here." />;
  const { request, result } = finished.value;
  return (
    <PixelCanvas
      image={result}
      width={result.width}
      height={result.height}
      label={`Picture of: ${request.prompt}`}
      class="finished"
    />
  );
}

function Empty({ text, working }: { readonly text: string; readonly working?: boolean }) {
  return (
    <p class={working ? 'empty working' : 'empty'}>
      <Icon name="spark" />
      {text}
    </p>
  );
}
