import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from './fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a staging namespace${needsRoot}`, () => {
  it.each([
    ['by pivot_root', 'pivoted'],
    ['if a container runtime forbids pivot_root', 'covered'],
  ])('shows nothing but empty mount points and keeps no other mount alive: %s', async (_, scenario) => {
    expect(await runScenario('staging', scenario)).toEqual({
      places: true,
      mounts: ['tmpfs'],
      daemon: 'ended',
      outside: true,
    });
  });
});
