import { useEffect } from 'preact/hooks';
import { cancel } from './actions.ts';
import { CachePanel } from './CachePanel.tsx';
import { EngineStatus } from './EngineStatus.tsx';
import { cancelsRun } from './escape.ts';
import { Lab } from './lab/Lab.tsx';
import { ModelsButton } from './models/ModelsButton.tsx';
import { ModelsDialog } from './models/ModelsDialog.tsx';
import { NoticeBar } from './NoticeBar.tsx';
import { PictureSettings } from './PictureSettings.tsx';
import { PromptForm } from './PromptForm.tsx';
import { Stage } from './Stage.tsx';
import { announcement } from './state.ts';
import { StorageHint } from './StorageHint.tsx';

export function App() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (cancelsRun(event)) void cancel();
    };
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <>
      <header class="page-header">
        <h1>
          <img src="./icons/icon.svg" alt="" width={28} height={28} />
          HiCache Studio
        </h1>
        <div class="header-end">
          <EngineStatus />
          <ModelsButton />
        </div>
      </header>
      <NoticeBar />
      <main>
        <div class="studio">
          <PromptForm />
          <Stage />
          <div class="settings">
            <PictureSettings />
            <CachePanel />
            <StorageHint />
          </div>
        </div>
        <Lab />
      </main>
      <ModelsDialog />
      <p class="visually-hidden" role="status">
        {announcement.value}
      </p>
    </>
  );
}
