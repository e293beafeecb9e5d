import { expect, it } from 'vitest';
import { describeFidelity } from './fidelity.ts';

const describe = (theirs?: { namespace: string; name: string; container: string }, driver?: string) =>
  describeFidelity({ version: 'v1.34.4', description: 'kind', theirs, driver, virtualNodes: [] }).parts;

it('names the node plugin and the FUSE process of others, and none of ours', () => {
  const parts = describe({ namespace: 'csi', name: 'node', container: 'driver' }, 'x.example.com');
  expect(parts).toContainEqual({ part: 'node plugin', is: 'DaemonSet csi/node, as it is installed', fake: false });
  expect(parts).toContainEqual({ part: 'FUSE process', is: 'what x.example.com starts', fake: false });
  expect(parts.filter(({ fake }) => fake)).toEqual([]);
});

it('names our agent and its stand-ins', () => {
  const fakes = describe().filter(({ fake }) => fake);
  expect(fakes.map(({ part }) => part)).toEqual(['FUSE daemon', "Fluid's controllers"]);
});
