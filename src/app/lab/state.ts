/** What the lab shows, and how. Sliders write these signals; charts follow at once. */
import { computed, signal } from '@preact/signals';
import type { Abscissa } from '../../forecast/settings.ts';
import { finished } from '../state.ts';
import { RunErrors } from './errors.ts';

export const open = signal(false);
export const abscissa = signal<Abscissa>('flow');
/** The Hermite forecast among the bases; the published setting to begin with. */
export const order = signal(2);
export const sigma = signal(0.5);
/** Which compute step the curves over sigma are of: 0 for all, else counted from 1. */
export const chosen = signal(0);

/** Of the finished run; undefined if it verified nothing. */
export const errors = computed(() => {
  const stats = finished.value?.result.stats;
  return stats && stats.verifications.length > 0 ? new RunErrors(stats) : undefined;
});

/** `chosen` where the run on show has such a step. */
export const shown = computed(() =>
  chosen.value <= (errors.value?.evidence.length ?? 0) ? chosen.value : 0,
);

export const LAB_ID = 'lab';

/** Opens it and brings it into sight. */
export function openLab(): void {
  open.value = true;
  document.getElementById(LAB_ID)?.scrollIntoView({ block: 'start' });
}
