import { expect, test, vi } from 'vitest';
import { DeviceWatch, type DeviceUse } from '../../../src/gpu/watch.ts';

/** As much of a device as a watch looks at, and its loss. */
function losable(use?: DeviceUse) {
  let lose!: () => void;
  const lost = new Promise<{ message: string }>((resolve) => {
    lose = () => resolve({ message: 'unplugged' });
  });
  const device = { lost, addEventListener: () => undefined } as unknown as GPUDevice;
  return { watch: new DeviceWatch(device, use), lose };
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

test('a device lost while converting says nothing of images', async () => {
  const { watch, lose } = losable('conversion');
  const pending = watch.guard(new Promise<never>(() => undefined));
  const error = pending.catch((reason: unknown) => reason);
  lose();
  expect(await error).toMatchObject({
    ...LOST,
    hint: expect.stringMatching(/^(?!.*image).*conversion again: it resumes/) as string,
  });
});

test('a mapping broken off before the loss is told is lost too', async () => {
  const { watch, lose } = losable();
  const guarded = watch.guard(Promise.reject(new DOMException('unmapped', 'AbortError')));
  const error = guarded.catch((reason: unknown) => reason);
  await new Promise((resolve) => setTimeout(resolve, 0));
  lose();
  expect(await error).toMatchObject(LOST);
});

test('a guarded promise is otherwise the same', async () => {
  const { watch } = losable();
  await expect(watch.guard(Promise.resolve(3))).resolves.toBe(3);
  await expect(watch.guard(Promise.reject(new Error('no')))).rejects.toThrow('no');
});

/** A device whose error scopes find what is given, the one that was pushed last first. */
function scoped(found: { readonly memory?: GPUError; readonly validation?: GPUError }) {
  const scopes: (GPUError | null)[] = [];
  const device = {
    lost: new Promise<never>(() => undefined),
    addEventListener: () => undefined,
    pushErrorScope: (filter: GPUErrorFilter) =>
      scopes.push((filter === 'validation' ? found.validation : found.memory) ?? null),
    popErrorScope: () => Promise.resolve(scopes.pop()),
  };
  return { watch: new DeviceWatch(device as unknown as GPUDevice), scopes };
}

class OutOfMemory extends Error {}
vi.stubGlobal('GPUOutOfMemoryError', OutOfMemory);
const memory = new OutOfMemory('none left') as GPUError;
const validation = new Error('invalid buffer') as GPUError;

test('what finds no memory is undone and says so, whatever else it complains of', async () => {
  for (const found of [{ memory }, { memory, validation }]) {
    const { watch, scopes } = scoped(found);
    const undone: number[] = [];
    const made = watch.allocate(
      () => Promise.resolve(7),
      (value) => Promise.resolve(void undone.push(value)),
    );
    await expect(made).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(undone).toEqual([7]);
    const thrown = watch.allocate(() => Promise.reject(new Error('no session')));
    await expect(thrown).rejects.toMatchObject({ code: 'out-of-memory' });
    expect(scopes).toEqual([]);
  }
});

test('what fails for another reason keeps it, and leaves no scope open', async () => {
  const { watch, scopes } = scoped({});
  await expect(watch.allocate(() => 3)).resolves.toBe(3);
  const failing = watch.allocate(() => {
    throw new Error('no session');
  });
  await expect(failing).rejects.toThrow('no session');
  expect(scopes).toEqual([]);
  const refused = scoped({ validation }).watch.allocate(() => 3);
  await expect(refused).rejects.toMatchObject({ code: 'internal' });
});
