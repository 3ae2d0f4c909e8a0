import { useEffect } from 'preact/hooks';
import { cancel } from './actions.ts';
import { CachePanel } from './cache/CachePanel.tsx';
import { EngineStatus } from './engine/EngineStatus.tsx';
import { cancelsRun } from './controls/escape.ts';
import { Lab } from './lab/Lab.tsx';
import { ModelsButton } from './models/ModelsButton.tsx';
import { ModelsDialog } from './models/ModelsDialog.tsx';
import { NoticeBar } from './controls/NoticeBar.tsx';
import { PictureSettings } from './image/ImageSettings.tsx';
import { PromptForm } from './prompt/PromptForm.tsx';
import { Stage } from './image/Stage.tsx';
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
