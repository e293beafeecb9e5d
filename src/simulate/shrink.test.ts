import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.ts';

describe('shrink', () => {
  it('keeps only the steps that the failure needs, in their order', async () => {
    const history = Array.from({ length: 60 }, (_, index) => index);
    const fails = async (steps: readonly number[]) => {
      const at = steps.indexOf(41);
      return steps.includes(7) && at >= 0 ? at + 1 : undefined;
    };
    expect(await shrink(history, fails)).toEqual([7, 41]);
  });

  it('leaves a history alone of which every step is needed', async () => {
    expect(await shrink([1, 2, 3], async (steps) => (steps.length === 3 ? 3 : undefined))).toEqual([1, 2, 3]);
  });
});
