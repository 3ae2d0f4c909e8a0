import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Stage } from '../../../src/runtime/memory/activations.ts';
import type { Room } from '../../../src/runtime/memory/eviction.ts';
import { Residency } from '../../../src/runtime/memory/residency.ts';
import { AppError } from '../../../src/shared/errors.ts';

interface TestPart {
  readonly name: string;
  readonly bytes: number;
  readonly stage: Stage;
}

const part = (name: string, bytes: number, stage: Stage = 'denoise'): TestPart => ({
  name,
  bytes,
  stage,
});
const NONE = { text: 0, denoise: 0, preview: 0, decode: 0 };

/** What a residency did, and a memory of `memory` bytes that refuses what does not fit. */
function residencyOf(room: Room<TestPart>, memory = Infinity) {
  const log: string[] = [];
  const open = new Set<TestPart>();
  const inUse = new Set<TestPart>();
  const bytes = () => [...open].reduce((sum, each) => sum + each.bytes, 0);
  const residency = new Residency<TestPart, string>(room, {
    async open(each) {
      await Promise.resolve();
      if (bytes() + each.bytes > memory) throw new Error('std::bad_alloc');
      expect(open.has(each), `${each.name} is opened once`).toBe(false);
      open.add(each);
      log.push(`open ${each.name}`);
      return each.name;
    },
    async release(session, each) {
      await Promise.resolve();
      expect(session).toBe(each.name);
      expect(inUse.has(each), `${each.name} is not released in use`).toBe(false);
      open.delete(each);
      log.push(`release ${each.name}`);
    },
    noRoom: ({ name }, limit) => new AppError('out-of-memory', `${name} in ${limit}`, 'Less.'),
  });
  const use = (needed: TestPart, beside: TestPart[] = []): Promise<void> =>
    residency.use(
      needed,
      async (session) => {
        expect(session).toBe(needed.name);
        for (const each of [needed, ...beside]) {
          expect(open.has(each), `${each.name} is there`).toBe(true);
          inUse.add(each);
        }
        await Promise.resolve();
        for (const each of [needed, ...beside]) inUse.delete(each);
      },
      { beside },
    );
  return { residency, use, log, open, bytes };
}

const text = part('text', 5, 'text');
const trunk = ['a', 'b', 'c'].map((name) => part(name, 4));
const [a, b, c] = trunk as [TestPart, TestPart, TestPart];
const head = part('head', 1);
const decoder = part('decoder', 2, 'decode');
const order = [text, ...trunk, head, decoder];

async function picture({ use }: ReturnType<typeof residencyOf>): Promise<void> {
  await use(text);
  for (let step = 0; step < 3; step++) {
    for (const segment of trunk) await use(segment, [head]);
    await use(head);
  }
  await use(decoder);
}

describe('a model', () => {
  test('that fits is opened once', async () => {
    const made = residencyOf({ order, limit: 20, activations: NONE });
    await picture(made);
    await picture(made);
    expect(made.log).toEqual([text, head, a, b, c, decoder].map(({ name }) => `open ${name}`));
  });

  test('keeps its trunk while its text encoder comes and goes', async () => {
    const made = residencyOf({ order, limit: 13, activations: NONE });
    await picture(made);
    made.log.length = 0;
    await picture(made);
    // Of the trunk only what was in the decoder's way is loaded again, and never within the steps.
    expect(made.log).toEqual([
      'release decoder',
      'open text',
      'release text',
      'open head',
      'open c',
      'release head',
      'release c',
      'open decoder',
    ]);
  });

  test('whose trunk does not fit keeps what it can of it', async () => {
    const made = residencyOf({ order, limit: 9, activations: NONE });
    await picture(made);
    const opened = trunk.map(
      ({ name }) => made.log.filter((line) => line === `open ${name}`).length,
    );
    // Two fit. Of nine uses two find their segment there in the second step, and one in the third.
    expect(opened).toEqual([2, 2, 2]);
    expect(made.log.filter((line) => line === 'open head')).toHaveLength(1);
  });

  test('gives way to activations', async () => {
    const made = residencyOf({ order, limit: 20, activations: { ...NONE, decode: 17 } });
    await picture(made);
    expect([...made.open]).not.toContain(text);
    expect(made.bytes()).toBeLessThanOrEqual(3);
  });
});

describe('out of memory', () => {
  test('releases the others and tries once more, and keeps less from then on', async () => {
    const made = residencyOf({ order, limit: 20, activations: NONE }, 10);
    await picture(made);
    expect(made.log).toContain('release text');
    expect(made.residency.hasRoomFor([a, b, c, head])).toBe(false);
    made.log.length = 0;
    await made.use(a, [head]);
    await made.use(b, [head]);
    expect(made.bytes()).toBeLessThanOrEqual(10);
  });

  test('of one part alone is said by name, and the others go on', async () => {
    const made = residencyOf({ order, limit: 20, activations: NONE }, 3);
    await made.use(head);
    await expect(made.use(a, [head])).rejects.toMatchObject({
      code: 'out-of-memory',
      message: 'a in 20',
    });
    expect([...made.open]).toEqual([head]);
    await made.use(decoder);
    expect([...made.open]).toEqual([head, decoder]);
  });
});

test('a part that does not open leaves the others as they are', async () => {
  let broken = true;
  const opened: string[] = [];
  const residency = new Residency<TestPart, string>(
    { order, limit: 20, activations: NONE },
    {
      open: ({ name }) => {
        if (name === 'b' && broken) return Promise.reject(new Error('damaged'));
        opened.push(name);
        return Promise.resolve(name);
      },
      release: () => Promise.resolve(),
      noRoom: () => new AppError('out-of-memory', '', ''),
    },
  );
  const use = (each: TestPart) => residency.use(each, (session) => Promise.resolve(session));
  await use(a);
  await expect(use(b)).rejects.toThrow('damaged');
  expect([residency.has(a), residency.has(b)]).toEqual([true, false]);
  broken = false;
  expect(await use(b)).toBe('b');
  expect(await use(a)).toBe('a');
  expect(opened).toEqual(['a', 'b']);
});

test('work that fails leaves its part usable', async () => {
  const made = residencyOf({ order, limit: 20, activations: NONE });
  const work = () => Promise.reject(new Error('of the run'));
  await expect(made.residency.use(a, work)).rejects.toThrow('of the run');
  await made.use(a);
  expect(made.log).toEqual(['open a']);
});

test('one that does not release is forgotten, and the rest is released', async () => {
  const released: string[] = [];
  const residency = new Residency<TestPart, string>(
    { order, limit: 20, activations: NONE },
    {
      open: ({ name }) => Promise.resolve(name),
      release: (name) => {
        if (name === 'a') return Promise.reject(new Error('stuck'));
        released.push(name);
        return Promise.resolve();
      },
      noRoom: () => new AppError('out-of-memory', '', ''),
    },
  );
  for (const each of [a, b]) await residency.use(each, () => Promise.resolve());
  await expect(residency.releaseAll()).rejects.toThrow('stuck');
  expect(released).toEqual(['b']);
  expect([residency.has(a), residency.has(b)]).toEqual([false, false]);
});

const stages: Stage[] = ['text', 'denoise', 'preview', 'decode'];
const sizes = fc.integer({ min: 0, max: 10 });
const anyModel = fc
  .record({
    counts: fc.tuple(
      ...stages.map(() => fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 4 })),
    ),
    activations: fc.tuple(sizes, sizes, sizes, sizes),
    limit: fc.integer({ min: 1, max: 80 }),
  })
  .map(({ counts, activations, limit }) => ({
    order: counts.flatMap((list, i) =>
      list.map((bytes, n) => part(`${stages[i]} ${n}`, bytes, stages[i])),
    ),
    activations: Object.fromEntries(stages.map((stage, i) => [stage, activations[i]])) as Record<
      Stage,
      number
    >,
    limit,
  }))
  .filter((room) => room.order.length > 0);

test('whatever is used when: it is there, nothing is released in use, the budget holds', async () => {
  const uses = fc.array(fc.tuple(fc.nat(), fc.option(fc.nat(), { nil: undefined })), {
    maxLength: 40,
  });
  await fc.assert(
    fc.asyncProperty(anyModel, uses, fc.boolean(), async (room, chosen, together) => {
      const made = residencyOf(room);
      const pick = (n: number) => room.order[n % room.order.length]!;
      const checked = async (needed: TestPart, beside: TestPart[]): Promise<void> => {
        const set = new Set([needed, ...beside]);
        await made.residency.use(
          needed,
          () => {
            const held = made.bytes() + room.activations[needed.stage];
            const alone = made.open.size === set.size && [...set].every((p) => made.open.has(p));
            expect(alone || held <= room.limit).toBe(true);
            return Promise.resolve();
          },
          { beside: [...set].slice(1) },
        );
      };
      const pending: Promise<void>[] = [];
      for (const [n, m] of chosen) {
        const beside = m === undefined ? [] : [pick(m)];
        const used = made.use(
          pick(n),
          beside.filter((each) => each !== pick(n)),
        );
        pending.push(used, checked(pick(n), beside));
        if (!together) await Promise.all(pending);
      }
      await Promise.all(pending);
      await made.residency.releaseAll();
      expect(made.open.size).toBe(0);
    }),
  );
});

test('what fits as a whole is never opened twice', async () => {
  await fc.assert(
    fc.asyncProperty(anyModel, fc.array(fc.nat(), { maxLength: 40 }), async (room, chosen) => {
      const all = room.order.reduce((sum, { bytes }) => sum + bytes, 0);
      const limit = all + Math.max(...Object.values(room.activations));
      const made = residencyOf({ ...room, limit });
      for (const n of chosen) await made.use(room.order[n % room.order.length]!);
      expect(made.log.every((line) => line.startsWith('open'))).toBe(true);
    }),
  );
});
