import { expect, test } from 'vitest';
import { DeviceWatch } from '../../../src/backend/webgpu/watch.ts';

/** As much of a device as a watch looks at, and its loss. */
function losable() {
  let lose!: () => void;
  const lost = new Promise<{ message: string }>((resolve) => {
    lose = () => resolve({ message: 'unplugged' });
  });
  const device = { lost, addEventListener: () => undefined } as unknown as GPUDevice;
  return { watch: new DeviceWatch(device), lose };
}

const LOST = { code: 'device-lost', message: 'The GPU was lost: unplugged' };

test('what is under way rejects when the device is lost, queued or not', async () => {
  const { watch, lose } = losable();
  const never = () => new Promise<never>(() => undefined);
  const pending = [watch.run(never), watch.guard(never()), watch.guard(never())];
  const results = Promise.allSettled(pending);
  lose();
  for (const result of await results) {
    expect(result).toMatchObject({ status: 'rejected', reason: LOST });
  }
  await expect(watch.run(() => Promise.resolve(1))).rejects.toMatchObject(LOST);
  await expect(watch.guard(never())).rejects.toMatchObject(LOST);
});

test('a mapping broken off before the loss is told is lost too', async () => {
  const { watch, lose } = losable();
  const guarded = watch.guard(Promise.reject(new DOMException('unmapped', 'AbortError')));
  const expectation = expect(guarded).rejects.toMatchObject(LOST);
  await new Promise((resolve) => setTimeout(resolve, 0));
  lose();
  await expectation;
});

test('a guarded promise is otherwise the same', async () => {
  const { watch } = losable();
  await expect(watch.guard(Promise.resolve(3))).resolves.toBe(3);
  await expect(watch.guard(Promise.reject(new Error('no')))).rejects.toThrow('no');
});
