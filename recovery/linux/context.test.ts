import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLateClose, openPath } from './context.ts';
import { KernelModel } from './model/kernel-model.ts';
import { ModelledSyscalls } from './model/modelled-syscalls.ts';
import { O_PATH } from './syscalls.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('descriptors of dead mounts', () => {
  const closing = () => {
    const closed: number[] = [];
    const inPool: number[] = [];
    const late = createLateClose({
      close: (fd) => void closed.push(fd),
      closeInPool: (fd) => void inPool.push(fd),
    });
    return { closed, inPool, late };
  };

  it('are closed a moment later, together, and never by the event loop', () => {
    const { closed, inPool, late } = closing();
    late.close(7);
    late.close(8);
    expect(inPool).toEqual([]);
    vi.runAllTimers();
    expect(inPool).toEqual([7, 8]);
    late.close(9);
    vi.runAllTimers();
    expect(inPool).toEqual([7, 8, 9]);
    expect(closed).toEqual([]);
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

it('opens the root directory on a kernel that cannot look into its cache alone', () => {
  const sys = new ModelledSyscalls({ kernel: new KernelModel({ release: '5.10.0' }) });
  const walker = {
    prepare: () => undefined,
    open: (at: number, path: string) => sys.openat2({ at, path, flags: O_PATH, resolve: 0 }),
    [Symbol.dispose]: () => undefined,
  };
  const opened = openPath({ sys, walker }, '/');
  expect(opened.ok && sys.identify(opened.value)).toMatchObject({ value: { isMountRoot: true } });
});
