import type { Abscissa } from '../../forecast/settings.ts';
import { Segments } from '../controls/choices.tsx';
import { NormalityCharts } from './NormalityCharts.tsx';
import { SigmaChart } from './SigmaChart.tsx';
import { abscissa } from './state.ts';
import { StepChart } from './StepChart.tsx';

const ABSCISSA_NAMES: Readonly<Record<Abscissa, string>> = {
  flow: 'Flow time',
  step: 'Step numbers',
};

/** The lab's inside, in a chunk of its own: it brings the library that draws charts. */
export function LabCharts() {
  return (
    <>
      <Segments
        label="Forecast along"
        names={ABSCISSA_NAMES}
        value={abscissa.value}
        onChange={(chosen) => (abscissa.value = chosen)}
      />
      <div class="charts">
        <StepChart />
        <SigmaChart />
        <NormalityCharts />
      </div>
    </>
  );
}
