import { expect, test } from 'vitest';
import { SerialQueue } from '../../../src/shared/serial.ts';

test('jobs never overlap and keep their order', async () => {
  const queue = new SerialQueue();
  const events: string[] = [];
  const job = (name: string) => async () => {
    events.push(`${name} starts`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    events.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([queue.run(job('a')), queue.run(job('b'))]);
  expect(results).toEqual(['a', 'b']);
  expect(events).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
});

test('a job that fails rejects its own promise and does not stop the next', async () => {
  const queue = new SerialQueue();
  const failed = queue.run(() => Promise.reject(new Error('no')));
  const thrown = queue.run(() => {
    throw new Error('at once');
  });
  const next = queue.run(() => Promise.resolve(7));
  await expect(failed).rejects.toThrow('no');
  await expect(thrown).rejects.toThrow('at once');
  await expect(next).resolves.toBe(7);
});
