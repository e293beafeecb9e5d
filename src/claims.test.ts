import { describe, expect, it } from 'vitest';
import { claimsOf } from './claims.ts';

describe('the claims of a scenario', () => {
  it('are found among its tags, in order and once', () => {
    expect(claimsOf(['@C2', '@sandbox', '@C3', '@fault:sigkill', '@C2'])).toEqual(['C2', 'C3']);
  });

  it('are not guessed from tags that look like them', () => {
    expect(claimsOf(['@C9', '@c3', '@C33', '@toString', 'L1 '])).toEqual([]);
  });
});
