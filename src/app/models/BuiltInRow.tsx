import { info, model } from '../state.ts';
import { bytesInWords } from '../../shared/bytes.ts';
import { useBuiltIn } from './actions.ts';
import { builtInFacts } from './built-in.ts';
import { BUILT_IN_KEY, BUILT_IN_TITLE, modelKey } from './choice.ts';
import { UseButton } from './UseButton.tsx';

/** The model that comes with the page, and the one that the page's address names. */
export function BuiltInRow() {
  const named = model.value.kind === 'url' && modelKey(model.value) !== BUILT_IN_KEY;
  return (
    <>
      {named && model.value.kind === 'url' && (
        <li>
          <div class="facts">
            <strong>{info.value?.model.title ?? 'The model of the address'}</strong>
            <p class="hint">Named by this page's address: {model.value.url}</p>
          </div>
          <div class="buttons">
            <UseButton
              modelKey={model.value.url}
              title={info.value?.model.title ?? 'it'}
              onUse={() => undefined}
            />
          </div>
        </li>
      )}
      <li>
        <div class="facts">
          <strong>{BUILT_IN_TITLE}</strong>
          <BuiltInDetails />
        </div>
        <div class="buttons">
          <UseButton modelKey={BUILT_IN_KEY} title={BUILT_IN_TITLE} onUse={useBuiltIn} />
        </div>
      </li>
    </>
  );
}

function BuiltInDetails() {
  const facts = builtInFacts.value;
  const comes = 'comes with the page';
  return (
    <>
      <p>{facts ? `${bytesInWords(facts.bytes)} · ${comes}` : `Small; ${comes}`}</p>
      {facts && (
        <p class="hint">
          {facts.source}
          <br />
          Licence: {facts.licence}
        </p>
      )}
    </>
  );
}
