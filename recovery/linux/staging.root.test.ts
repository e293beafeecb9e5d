import { describe, expect, it } from 'vitest';
import { isRoot, needsRoot, runScenario } from './fixtures/private-namespace.ts';

describe.skipIf(!isRoot)(`a staging namespace${needsRoot}`, () => {
  it.each([
    ['by pivot_root', 'pivoted'],
    ['where a container runtime refuses pivot_root', 'covered'],
  ])('shows nothing but places, and keeps no mount of anybody alive: %s', async (_, scenario) => {
    expect(await runScenario('staging', scenario)).toEqual({
      places: true,
      mounts: ['tmpfs'],
      daemon: 'ended',
      outside: true,
    });
  });
});
