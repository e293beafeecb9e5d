import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLateClose } from './late-close.ts';

describe('descriptors of dead mounts', () => {
  const closing = () => {
    const closed: number[] = [];
    const late = createLateClose({
      close(fd) {
        closed.push(fd);
      },
    });
    return { closed, late };
  };

  it('are closed when the event loop turns, not before', async () => {
    const { closed, late } = closing();
    late.close(7);
    late.close(8);
    expect(closed).toEqual([]);
    await turn();
    expect(closed).toEqual([7, 8]);
    late.close(9);
    await turn();
    expect(closed).toEqual([7, 8, 9]);
  });

  it('are closed once, and at once where all comes to its end', async () => {
    const { closed, late } = closing();
    late.close(7);
    late[Symbol.dispose]();
    expect(closed).toEqual([7]);
    await turn();
    expect(closed).toEqual([7]);
  });
});
