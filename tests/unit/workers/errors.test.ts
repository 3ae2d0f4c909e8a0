import { MessageChannel } from 'node:worker_threads';
import { expose, wrap } from 'comlink';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AppError } from '../../../src/shared/errors.ts';
import { registerErrorHandler } from '../../../src/workers/rpc.ts';

const api = {
  refuse(): void {
    throw new AppError('bad-bundle', 'It is cut short.', 'Get it again.');
  },
  break(): void {
    throw new TypeError('x is undefined');
  },
  async throwText(): Promise<void> {
    throw 'just text';
  },
};

const { port1, port2 } = new MessageChannel();
const remote = wrap<typeof api>(port1 as unknown as MessagePort);
beforeAll(() => {
  registerErrorHandler();
  expose(api, port2 as unknown as MessagePort);
});
afterAll(() => port1.close());

it('brings an AppError across with code, message and hint', async () => {
  const error = await remote.refuse().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({
    code: 'bad-bundle',
    message: 'It is cut short.',
    hint: 'Get it again.',
  });
});

it('makes everything else an internal error that keeps what was said', async () => {
  for (const [call, said] of [
    [remote.break, 'x is undefined'],
    [remote.throwText, 'just text'],
  ] as const) {
    const error = await call().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'internal' });
    expect((error as AppError).message).toContain(said);
    expect((error as AppError).hint).not.toBe('');
  }
});
