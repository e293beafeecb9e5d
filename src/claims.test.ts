import { describe, expect, it } from 'vitest';
import { claimsFor } from './claims.ts';

describe('the claims of a scenario', () => {
  it('are found among its tags, in order and once', () => {
    expect(claimsFor(['@C2', '@sandbox', '@C3', '@fault:sigkill', '@C2'])).toEqual(['C2', 'C3']);
  });

  it('are not guessed from tags that look like them', () => {
    expect(claimsFor(['@C9', '@c3', '@C33', '@toString', 'L1 '])).toEqual([]);
  });
});
