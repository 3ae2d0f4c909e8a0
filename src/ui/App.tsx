import { useEffect } from 'preact/hooks';
import { cancel } from './actions.ts';
import { CachePanel } from './CachePanel.tsx';
import { EngineStatus } from './EngineStatus.tsx';
import { Lab } from './lab/Lab.tsx';
import { ModelsButton } from './models/ModelsButton.tsx';
import { ModelsDialog } from './models/ModelsDialog.tsx';
import { open as modelsOpen } from './models/state.ts';
import { NoticeBar } from './NoticeBar.tsx';
import { PictureSettings } from './PictureSettings.tsx';
import { PromptForm } from './PromptForm.tsx';
import { Stage } from './Stage.tsx';
import { announcement } from './state.ts';

export function App() {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // There it closes the dialog, and the picture goes on.
      if (event.key === 'Escape' && !modelsOpen.value) void cancel();
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
