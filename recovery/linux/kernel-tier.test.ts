import { describe, expect, it } from 'vitest';
import { needsKernel } from './fixtures/private-namespace.ts';
import { checkRelease, effectiveTier, tierOfRelease } from './kernel-tier.ts';

describe('checkRelease', () => {
  it.each(['5.10.134-16.al8.x86_64', '5.10', '6.18.44-generic', '10.0'])('accepts %s', (release) => {
    expect(checkRelease(release)).toEqual({ ok: true });
  });

  it.each(['5.9.16', '4.19.91-27.al7', '4.18.0-553.el8', 'unknown'])(
    'refuses %s and names the oldest release that works',
    (release) => {
      const checked = checkRelease(release);
      expect(checked).toMatchObject({ ok: false, failure: { errno: 'ENOSYS', step: 'check-kernel', path: release } });
      expect(checked.ok ? '' : checked.failure.remedy).toContain('5.10');
    },
  );
});

describe('effectiveTier', () => {
  it('is what the kernel offers unless a lower tier is forced', () => {
    expect(effectiveTier('5.12', undefined)).toEqual({ ok: true, value: '5.12' });
    expect(effectiveTier('6.5', '6.5')).toEqual({ ok: true, value: '6.5' });
    expect(effectiveTier('6.5', '5.10')).toEqual({ ok: true, value: '5.10' });
  });

  it('refuses a tier that the kernel does not offer', () => {
    expect(effectiveTier('5.12', '6.5')).toMatchObject({ ok: false, failure: { step: 'force-tier-6.5' } });
  });
});

describe('tierOfRelease', () => {
  it.each([
    ['5.10.134-16.al8.x86_64', '5.10'],
    ['5.11.0', '5.10'],
    ['5.12.0-rc1', '5.12'],
    ['6.1.0-28-amd64', '5.12'],
    ['6.5.0', '6.5'],
    ['6.18.44-generic', '6.5'],
    ['10.0', '6.5'],
  ])('maps %s to tier %s', (release, tier) => {
    expect(tierOfRelease(release)).toBe(tier);
  });
});

it.each([
  ['6.5', '6.1.192', ' (skipped: needs Linux 6.5, this is 6.1.192)'],
  ['6.5', '6.12.118', ''],
])('a test that needs Linux %s is skipped on %s with the reason', (version, running, title) => {
  expect(needsKernel(version, running)).toBe(title);
});
