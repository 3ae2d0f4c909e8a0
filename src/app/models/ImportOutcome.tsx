import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { bytesInWords } from '../../shared/bytes.ts';
import { useStored } from './actions.ts';
import { useFocusIfLost } from './focus.ts';
import { outcome } from './state.ts';
import { UseButton } from './UseButton.tsx';

/** How the last import ended, and what can be done now. */
export function ImportOutcome() {
  const ended = outcome.value;
  // The live region is there before its text, or screen readers would miss the first one.
  return (
    <div role="alert" class="notice-region">
      {ended?.kind === 'failed' && (
        <Panel class="notice" code={ended.report.code}>
          <div>
            <strong>{ended.report.message}</strong>
            <p>{ended.report.hint}</p>
          </div>
        </Panel>
      )}
      {ended?.kind === 'cancelled' && (
        <Panel class="outcome">
          <p>Stopped. What is done is kept; Continue goes on from there.</p>
        </Panel>
      )}
      {ended?.kind === 'done' && (
        <Panel class="outcome done">
          <div>
            <p>
              <strong>{ended.record.title}</strong> is added: {bytesInWords(ended.record.bytes)}.
            </p>
            {ended.notes.map((note) => (
              <p key={note} class="hint">
                {note}
              </p>
            ))}
          </div>
          <UseButton
            modelKey={ended.record.id}
            title={`${ended.record.title} now`}
            text="Use it now"
            onUse={() => useStored(ended.record.id)}
          />
        </Panel>
      )}
    </div>
  );
}

interface PanelProps {
  readonly class: string;
  readonly code?: string;
  readonly children: ComponentChildren;
}

function Panel({ class: name, code, children }: PanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  useFocusIfLost(panel);
  return (
    <div ref={panel} class={name} data-code={code} tabIndex={-1}>
      {children}
    </div>
  );
}
