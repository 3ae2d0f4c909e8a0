import type { ComponentChildren } from 'preact';
import { downloadPicture, downloadStats } from './download.ts';
import { duration } from './format.ts';
import { Icon } from './Icon.tsx';
import { finished } from './state.ts';

/** Figures of the finished picture. */
export function Summary() {
  if (!finished.value) return null;
  const { stats } = finished.value.result;
  const computed = stats.computeSteps.length;
  return (
    <div class="summary">
      <dl>
        <Fact name="Time" value={duration(stats.seconds.total)} />
        <Fact name="Computed" value={`${computed} of ${stats.steps}`}>
          steps
        </Fact>
        <Fact name="Speed-up" value={`${stats.speedup.toFixed(2)}×`}>
          against computing every step
        </Fact>
        <Fact name="Seed" value={String(stats.seed)} />
      </dl>
      <p class="ran-on">
        {stats.backend === 'webgpu' && 'WebGPU · '}
        {stats.adapter} · {stats.precision}
        <br />
        {stats.backendReason}
      </p>
      <div class="downloads">
        <button type="button" onClick={() => downloadPicture(finished.value!)}>
          <Icon name="download" />
          Download PNG
        </button>
        <button type="button" class="quiet" onClick={() => downloadStats(finished.value!)}>
          Figures as JSON
        </button>
      </div>
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  readonly children?: ComponentChildren;
}

function Fact({ name, value, children }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        {children && <small>{children}</small>}
      </dd>
    </div>
  );
}
