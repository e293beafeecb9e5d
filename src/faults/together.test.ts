import { describe, expect, it } from 'vitest';
import { type Fault, type FaultContext, lasting, momentary } from './fault.ts';
import { together } from './together.ts';

const fault = (name: string, inject: Fault['inject'], isCrash = false): Fault => ({
  name,
  step: `${name} happens`,
  title: `it does ${name}`,
  claims: ['C3', name],
  expected: `${name} is survived`,
  isCrash,
  inject,
});

describe('combined faults', () => {
  it('are injected and recorded in order, and healed in reverse', async () => {
    const log: string[] = [];
    const lastingFault = (name: string, at: number) =>
      fault(name, async () => {
        log.push(name);
        return lasting(at, async () => log.push(`heal ${name}`));
      });
    const context = { recordInjection: (at: number) => log.push(`struck ${at}`) } as unknown as FaultContext;
    const injected = await together([lastingFault('a', 1), lastingFault('b', 2)]).inject(context);
    expect({ at: injected.at, lasts: injected.lasts }).toEqual({ at: 2, lasts: true });
    await injected[Symbol.asyncDispose]();
    expect(log).toEqual(['a', 'struck 1', 'b', 'heal b', 'heal a']);
  });

  it('wait for a container that the part before has ended', async () => {
    let tries = 0;
    const first = fault('a', async () => momentary(1), true);
    const second = fault('b', async () => {
      if (++tries < 3) throw new Error('container is not running');
      return momentary(2);
    });
    const both = together([first, second]);
    expect(await both.inject({ recordInjection: () => {} } as unknown as FaultContext)).toMatchObject({
      at: 2,
      lasts: false,
    });
    expect(both).toMatchObject({ name: 'a+b', claims: ['C3', 'a', 'b'], isCrash: true });
  });
});
