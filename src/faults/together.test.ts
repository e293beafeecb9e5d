import { describe, expect, it } from 'vitest';
import { type Fault, type FaultContext, over, until } from './fault.ts';
import { together } from './together.ts';

const fault = (name: string, inject: Fault['inject'], isCrash = false): Fault => ({
  name,
  title: `it does ${name}`,
  claims: ['C3', name],
  expected: `${name} is survived`,
  isCrash,
  inject,
});

describe('faults that come together', () => {
  it('are done in order, recorded each, and healed in the other order', async () => {
    const log: string[] = [];
    const lasting = (name: string, at: number) =>
      fault(name, async () => {
        log.push(name);
        return until(at, async () => log.push(`heal ${name}`));
      });
    const context = { struck: (at: number) => log.push(`struck ${at}`) } as unknown as FaultContext;
    const injected = await together([lasting('a', 1), lasting('b', 2)]).inject(context);
    expect({ at: injected.at, lasts: injected.lasts }).toEqual({ at: 2, lasts: true });
    await injected[Symbol.asyncDispose]();
    expect(log).toEqual(['a', 'struck 1', 'b', 'heal b', 'heal a']);
  });

  it('wait for a container that the one before ended', async () => {
    let tries = 0;
    const first = fault('a', async () => over(1), true);
    const second = fault('b', async () => {
      if (++tries < 3) throw new Error('container is not running');
      return over(2);
    });
    const both = together([first, second]);
    expect(await both.inject({ struck: () => {} } as unknown as FaultContext)).toMatchObject({ at: 2, lasts: false });
    expect(both).toMatchObject({ name: 'a+b', claims: ['C3', 'a', 'b'], isCrash: true });
  });
});
