import { describe, expect, it } from 'vitest';
import { checkForced, checkRelease } from './features.ts';

describe('checkRelease', () => {
  it.each(['5.10.134-16.al8.x86_64', '5.10', '6.18.44-generic', '10.0'])('takes %s', (release) => {
    expect(checkRelease(release)).toEqual({ ok: true });
  });

  it.each(['5.9.16', '4.19.91-27.al7', '4.18.0-553.el8', 'unknown'])('refuses %s, and says which to run', (release) => {
    const checked = checkRelease(release);
    expect(checked).toMatchObject({ ok: false, failure: { errno: 'ENOSYS', step: 'check-kernel', path: release } });
    expect(checked.ok ? '' : checked.failure.remedy).toContain('5.10');
  });
});

describe('checkForced', () => {
  it('lets a lower tier be forced and no higher one', () => {
    expect(checkForced('5.10', '6.5').ok).toBe(true);
    expect(checkForced('6.5', '6.5').ok).toBe(true);
    expect(checkForced('6.5', '5.12')).toMatchObject({ ok: false, failure: { step: 'force-tier-6.5' } });
  });
});
