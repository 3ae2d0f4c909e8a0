import type { ComponentChildren } from 'preact';
import { median } from '../../shared/statistics.ts';
import { downloadPicture, downloadStats } from './download.ts';
import { describeUnverified, duration, percent } from '../controls/format.ts';
import { Icon } from '../controls/Icon.tsx';
import { openLab } from '../lab/state.ts';
import { finished } from '../state.ts';

/** Figures of the finished picture. */
export function Summary() {
  if (!finished.value) return null;
  const { stats } = finished.value.result;
  const computed = stats.computeSteps.length;
  const served = stats.verifications.flatMap(({ served }) => (served ? [served.error] : []));
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
        {served.length > 0 && (
          <Fact name="Forecast error" value={percent(median(served))}>
            of features, median of {served.length} verified
          </Fact>
        )}
      </dl>
      {stats.unverifiedSteps.length > 0 && <p class="hint">{describeUnverified(stats)}</p>}
      {stats.nonFinite && (
        <p class="problem">
          A feature was not a finite number; from there on every step was computed.
        </p>
      )}
      <p class="ran-on">
        Seed {stats.seed} · {stats.backend === 'webgpu' && 'WebGPU · '}
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
        {stats.verifications.length > 0 && (
          <button type="button" class="quiet" onClick={openLab}>
            Open the lab
          </button>
        )}
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
