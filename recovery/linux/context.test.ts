import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLateClose } from './context.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

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

  it('are closed a moment later, together', () => {
    const { closed, late } = closing();
    late.close(7);
    late.close(8);
    expect(closed).toEqual([]);
    vi.runAllTimers();
    expect(closed).toEqual([7, 8]);
    late.close(9);
    vi.runAllTimers();
    expect(closed).toEqual([7, 8, 9]);
  });

  it('are closed exactly once, and immediately on disposal', () => {
    const { closed, late } = closing();
    late.close(7);
    late[Symbol.dispose]();
    expect(closed).toEqual([7]);
    vi.runAllTimers();
    expect(closed).toEqual([7]);
  });
});
