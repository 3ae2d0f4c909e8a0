import { bytesInWords } from '../../shared/bytes.ts';
import { info } from '../state.ts';
import { useInWords } from './words.ts';

/** What becomes of each component of the loaded model within its memory. */
export function MemoryPlan() {
  if (!info.value) return null;
  const { backend, model } = info.value;
  const { budget, peak, components } = backend.residency;
  return (
    <div class="plan">
      <p class="hint">
        {model.title} may take {bytesInWords(budget)} and takes up to {bytesInWords(peak)}, the
        working memory for a picture included.
        {peak > budget && ' It cannot do with less.'}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Size</th>
            <th scope="col">In memory</th>
          </tr>
        </thead>
        <tbody>
          {components.map((plan) => (
            <tr key={plan.component} class={plan.use}>
              <th scope="row">{plan.words}</th>
              <td>{bytesInWords(plan.bytes)}</td>
              <td>{useInWords(plan)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
