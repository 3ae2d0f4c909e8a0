import { Icon } from '../controls/Icon.tsx';
import { engine, notice } from '../state.ts';
import { problem } from './state.ts';

/** What went wrong with the models, the one that should be loaded included. */
export function ProblemAlert() {
  const failed = engine.value.kind === 'failed' ? notice.value?.report : undefined;
  const report = problem.value ?? failed;
  return (
    <div role="alert" class="notice-region">
      {report && (
        <div class="notice" data-code={report.code}>
          <div>
            <strong>{report.message}</strong>
            <p>{report.hint}</p>
          </div>
          {problem.value && (
            <button
              type="button"
              class="square quiet"
              aria-label="Dismiss"
              onClick={() => (problem.value = undefined)}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}
