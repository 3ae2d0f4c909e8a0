import { Icon } from './Icon.tsx';
import { notice } from '../state.ts';

/** What went wrong and what to do about it. */
export function NoticeBar() {
  // The live region is there before its text, or screen readers would miss the first one.
  return (
    <div role="alert" class="notice-region toast">
      {notice.value && (
        <div class="notice" data-code={notice.value.report.code}>
          <div>
            <strong>{notice.value.report.message}</strong>
            <p>{notice.value.report.hint}</p>
          </div>
          {notice.value.actions?.map(({ label, run }) => (
            <button key={label} type="button" onClick={run}>
              {label}
            </button>
          ))}
          <button
            type="button"
            class="square quiet"
            aria-label="Dismiss"
            onClick={() => (notice.value = undefined)}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
