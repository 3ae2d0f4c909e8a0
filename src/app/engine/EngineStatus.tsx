import { useRef } from 'preact/hooks';
import type { EngineInfo } from '../../workers/engine/api.ts';
import { bytesOfBytes } from '../controls/format.ts';
import { useLightDismiss } from '../controls/light-dismiss.ts';
import { residencyInWords } from '../models/words.ts';
import { engine } from '../state.ts';

/** The model and what runs it, or how far loading is. */
export function EngineStatus() {
  const state = engine.value;
  if (state.kind === 'failed') return <p class="engine failed">No model is loaded</p>;
  if (state.kind === 'ready') return <EngineDetails info={state.info} />;
  const { progress } = state;
  return (
    <div class="engine loading">
      <progress
        aria-label="Loading the model"
        value={progress?.loadedBytes}
        max={progress?.totalBytes}
      />
      <span>
        {progress
          ? `Loading the ${progress.what}: ${bytesOfBytes(progress.loadedBytes, progress.totalBytes)}`
          : 'Loading the model'}
      </span>
    </div>
  );
}

function EngineDetails({ info }: { readonly info: EngineInfo }) {
  const details = useRef<HTMLDetailsElement>(null);
  useLightDismiss(details);
  const { backend, model } = info;
  return (
    <details ref={details} class="engine ready" data-backend={backend.kind}>
      <summary>
        <span>
          {model.title} on {backend.kind === 'webgpu' ? 'WebGPU' : 'CPU'}
        </span>
      </summary>
      <div class="card">
        <p>
          {backend.adapter}, {backend.precision}
        </p>
        <p>{backend.reason}</p>
        <p>{residencyInWords(backend.residency)}</p>
        <p>Licence of the model: {model.licence}</p>
      </div>
    </details>
  );
}
