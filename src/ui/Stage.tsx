import { Icon } from './Icon.tsx';
import { PixelCanvas } from './PixelCanvas.tsx';
import { Progress } from './Progress.tsx';
import { finished, info, preview, prompt, run, sizeIndex } from './state.ts';
import { Summary } from './Summary.tsx';
import { Timeline } from './Timeline.tsx';
import { UnknownWords } from './UnknownWords.tsx';

/** The picture, its making, and what can be said of it. */
export function Stage() {
  return (
    <section class="stage card" aria-label="Result">
      <div class="frame">
        <Picture />
      </div>
      <Progress />
      <Timeline />
      <UnknownWords />
      {!run.value && <Summary />}
    </section>
  );
}

function Picture() {
  const size = info.value?.model.sizes[sizeIndex.value];
  if (run.value) {
    if (!preview.value || !size) return <Empty text="The picture forms here." working />;
    return (
      <PixelCanvas
        image={preview.value}
        width={size.width}
        height={size.height}
        label={`Preview of: ${prompt.value}`}
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
