import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numberOf, systemCalls } from './libc.ts';

/** The kernel's own numbers. arm64 has those of all newer architectures. */
const headers = {
  x64: ['/usr/include/x86_64-linux-gnu/asm/unistd_64.h', '/usr/include/asm/unistd_64.h'],
  arm64: ['/usr/include/asm-generic/unistd.h'],
};
const names = Object.keys(systemCalls) as (keyof typeof systemCalls)[];

describe.each(Object.entries(headers))('on %s', (architecture, paths) => {
  const path = paths.find((each) => existsSync(each));

  it.skipIf(path === undefined)(
    `system calls have the numbers of the kernel's headers${path ? '' : ` (needs ${paths[0]}: install linux-libc-dev)`}`,
    () => {
      const known = new Map<string, number>();
      for (const [, name = '', number] of readFileSync(path ?? '', 'utf8').matchAll(
        /#define __NR(?:3264)?_(\w+)\s+(\d+)/g,
      ))
        known.set(name, Number(number));
      // Headers of an older kernel lack newer calls.
      const present = names.filter((name) => known.has(name));
      expect(present).toEqual(expect.arrayContaining(['setresuid', 'getdents64', 'openat2']));
      for (const name of present) expect([name, numberOf(name, architecture)]).toEqual([name, known.get(name)]);
    },
  );
});

it('a call whose number is unknown on an architecture is not made', () => {
  expect(() => numberOf('setresuid', 'riscv64')).toThrow('setresuid has no known number on riscv64');
  expect(numberOf('openat2', 'riscv64')).toBe(437);
});
