import { describe, expect, it } from 'vitest';
import { claims, claimsOf } from './claims.ts';

describe('the claims', () => {
  it('are one sentence each, without a full stop', () => {
    for (const sentence of Object.values(claims)) expect(sentence).toMatch(/^[A-Z`][^.]*(1\.18[^.]*)?[^.]$/);
  });

  it('are found among tags, in order and once', () => {
    expect(claimsOf(['@C2', '@sandbox', '@C3', '@fault:sigkill', '@C2'])).toEqual(['C2', 'C3']);
  });

  it('are not guessed from tags that look like them', () => {
    expect(claimsOf(['@C9', '@c3', '@C33', '@toString', 'L1 '])).toEqual([]);
  });
});
