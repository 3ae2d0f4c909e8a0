import { describe, expect, test } from 'vitest';
import { Reservation } from '../../../src/bundle/store/reservation.ts';
import { type MemoryFile, type MemoryFolder, MemoryStorage } from '../support/opfs.ts';

const STEP = 100;

const files = ({ root }: MemoryStorage): MemoryFile[] =>
  [
    ...((root.items.get('reserved') as MemoryFolder | undefined)?.items.values() ?? []),
  ] as MemoryFile[];
const held = (storage: MemoryStorage): number =>
  files(storage).reduce((sum, file) => sum + file.bytes(), 0);

describe('room that is set aside', () => {
  test('is given back in steps, before what is written needs it', async () => {
    const storage = new MemoryStorage();
    storage.quota = 1000;
    const reservation = await Reservation.make(storage.root, 'x', 1000, STEP);
    expect([held(storage), storage.room]).toEqual([1000, 0]);
    const model = await (
      await storage.root.getFileHandle('model', { create: true })
    ).createSyncAccessHandle();
    for (let written = 0; written < 1000; written += 30) {
      const bytes = Math.min(30, 1000 - written);
      await reservation.give(bytes);
      expect(storage.room).toBeGreaterThanOrEqual(bytes);
      expect(model.write(new Uint8Array(bytes), { at: written })).toBe(bytes);
      // What is not written yet stays set aside, all but a step.
      expect(held(storage)).toBeGreaterThanOrEqual(1000 - written - bytes - STEP);
    }
    expect(files(storage)).toEqual([]);
    await reservation.end();
    expect(storage.used).toBe(1000);
  });

  test('is given back at once for a large piece, and more than it was does no harm', async () => {
    const storage = new MemoryStorage();
    const reservation = await Reservation.make(storage.root, 'x', 1000, STEP);
    await reservation.give(900);
    expect(held(storage)).toBe(100);
    await reservation.give(5000);
    await reservation.give(1);
    expect(files(storage)).toEqual([]);
  });

  test('may be taken away: writing goes on without it', async () => {
    const storage = new MemoryStorage();
    const reservation = await Reservation.make(storage.root, 'x', 1000, STEP);
    (storage.root.items.get('reserved') as MemoryFolder).items.clear();
    await reservation.give(30);
    await reservation.give(300);
    await reservation.end();
    await reservation.end();
    expect(storage.openHandles.size).toBe(0);
  });

  test('takes the place of what another start left', async () => {
    const storage = new MemoryStorage();
    await Reservation.make(storage.root, 'x', 1000, STEP);
    files(storage)[0]!.flush();
    storage.crash();
    storage.quota = 1000;
    await Reservation.make(storage.root, 'x', 900, STEP);
    expect(held(storage)).toBe(900);
  });

  test.each([0, 1, 999, 70_000, 5_000_000, 900_000_000])(
    'that is not there: %i bytes would fit',
    async (quota) => {
      for (const whenFull of ['throws', 'gives a code'] as const) {
        const storage = new MemoryStorage();
        Object.assign(storage, { quota, whenFull });
        const failed = await Reservation.make(storage.root, 'x', 1e12).catch(
          (error: Error) => error,
        );
        const [, figure, unit] = /: ([\d.]+) ([kMG]B) are free/.exec((failed as Error).message)!;
        const free = Number(figure) * { kB: 1e3, MB: 1e6, GB: 1e9 }[unit as 'kB' | 'MB' | 'GB'];
        expect(free).toBeLessThanOrEqual(quota + 1000);
        expect(free).toBeGreaterThan(0.98 * quota - 5000);
        expect([storage.used, storage.openHandles.size]).toEqual([0, 0]);
      }
    },
  );
});
