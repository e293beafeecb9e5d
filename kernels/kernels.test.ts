import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kernels, kernelsForCommit } from './catalogue.ts';
import { guestChecks, readResults } from './guest.ts';
import { findDependencies } from './packages.ts';
import { kernelResultsAsMarkdown, withResult } from './results.ts';

const checks = guestChecks(40);

it('tries every user-mode kernel for some commit, and the same one for the same commit', () => {
  const chosen = Array.from({ length: 16 }, (_, digit) => kernelsForCommit(`0000000${digit.toString(16)}ffff`)[0]);
  const userMode = kernels.filter(({ boots }) => boots === 'user-mode');
  expect(new Set(chosen)).toEqual(new Set(userMode));
  expect(kernelsForCommit('')).toEqual(userMode);
  expect(kernelsForCommit('1')).toEqual([...userMode.slice(1), userMode[0]]);
});

it('finds the parts of a divided kernel among the dependencies of its package', () => {
  const printed = `linux-image-7.3.4+deb13-cloud-amd64
  PreDepends: linux-base
 |Depends: dracut
  Depends: linux-base-7.3.4+deb13-cloud-amd64
  Depends: linux-binary-7.3.4+deb13-cloud-amd64
  Depends: linux-modules-cloud-amd64
  Depends: linux-modules-7.3.4+deb13-cloud-amd64`;
  expect(findDependencies(printed, 'linux-binary')).toEqual(['linux-binary-7.3.4+deb13-cloud-amd64']);
  expect(findDependencies(printed, 'linux-modules')).toEqual(['linux-modules-7.3.4+deb13-cloud-amd64']);
  expect(findDependencies(printed, 'linux-image')).toEqual([]);
});

it('keeps what other checks found on the same kernel, unless its package is another', () => {
  const named = { kernel: 'newest', boots: 'emulated', package: 'linux 7', release: '7.3.4' } as const;
  const check = (name: string, date: string) => ({ name, outcome: 'passed', summary: '', date }) as const;
  const before = { ...named, checks: [check('documented', 'May'), check('crash', 'May')] };
  const after = { ...named, checks: [check('crash', 'June'), check('doctor', 'June')] };
  const found = (results: ReturnType<typeof withResult>) =>
    results[0]?.checks.map(({ name, date }) => `${name} ${date}`);
  expect(found(withResult([before], after))).toEqual(['doctor June', 'crash June', 'documented May']);
  expect(found(withResult([{ ...before, package: 'linux 6' }], after))).toEqual(['doctor June', 'crash June']);
});

it('reads what the guest left, and counts what it did not reach as not run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'rekindle-kernels-'));
  try {
    const leave = (file: string, text: string) => writeFileSync(join(directory, file), text);
    leave('doctor.status', '0 17\n');
    leave('doctor.log', '✔ platform  Linux\n! kernel           5.10.46: tier 5.10, flags\n');
    leave('crash.status', '124 300\n');
    leave('crash.log', 'starting\nrekindle: not ready\n');
    leave('comparisons.status', '0 9\n');
    leave(
      'comparisons.log',
      '40 comparisons of 40 steps from seed 3:1\n40 comparisons, 90 steps in 9 s: none failed\n',
    );
    leave('documented.log', 'in the middle\n');
    expect(readResults(directory, checks)).toEqual([
      { name: 'doctor', outcome: 'passed', seconds: 17, summary: '5.10.46: tier 5.10, flags' },
      { name: 'crash', outcome: 'failed', seconds: 300, summary: 'rekindle: not ready' },
      {
        name: 'comparisons',
        outcome: 'passed',
        seconds: 9,
        summary: '40 comparisons, 90 steps in 9 s: none failed',
      },
      { name: 'documented', outcome: 'not run', summary: 'in the middle' },
      { name: 'standby', outcome: 'not run', summary: '' },
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('shows every check of a kernel in one row', () => {
  const check = { name: 'doctor', outcome: 'failed', summary: 'a | b', date: '2026-11-30' } as const;
  const named = { kernel: 'newest', package: 'linux 7', release: '7.3.4' };
  const rows = kernelResultsAsMarkdown([{ ...named, boots: 'emulated', checks: [check] }]).split('\n');
  expect(rows.at(-1)).toBe('| 7.3.4 | emulated | linux 7 | 2026-11-30: doctor failed: a / b |');
});
