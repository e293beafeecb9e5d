import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { CannotRun } from '../cluster.ts';
import { requireTheirs } from './require-theirs.ts';

const theirs = { namespace: 'fluid-system', name: 'csi-nodeplugin-fluid', container: 'plugins' };
const pods = (...names: readonly string[]) => ({
  spec: { template: { spec: { containers: names.map((name) => ({ name })) } } },
});
const judge = (daemonSet: object | undefined, definition: object | undefined = {}) =>
  requireTheirs(
    { read: async ({ kind }) => (kind === 'DaemonSet' ? daemonSet : definition) as KubernetesObject | undefined },
    theirs,
  );

test('an implementation that is there, with its definitions, is judged', async () => {
  await expect(judge({ metadata: {}, ...pods('node-driver-registrar', 'plugins') })).resolves.toBeUndefined();
});

test.each([
  [
    'it is absent',
    undefined,
    'the implementation that the profile names is not installed there: no daemonset/csi-nodeplugin-fluid in fluid-system: install it first',
  ],
  [
    'it is ours',
    { metadata: { labels: { 'app.kubernetes.io/managed-by': 'rekindle' } }, ...pods('plugins') },
    "daemonset/csi-nodeplugin-fluid in fluid-system is Rekindle's own agent, not what the profile names: --profile rekindle",
  ],
  ['its container has another name', pods('plugin'), 'has no container plugins, only plugin: name it in a profile'],
])('where %s, one sentence says so', async (_what, daemonSet, says) => {
  await expect(judge(daemonSet)).rejects.toThrow(says);
  await expect(judge(daemonSet)).rejects.toThrow(CannotRun);
});

test('a node plugin without Fluid’s definitions is no Fluid', async () => {
  const read = async ({ kind }: KubernetesObject) =>
    kind === 'DaemonSet' ? (pods('plugins') as KubernetesObject) : undefined;
  await expect(requireTheirs({ read }, theirs)).rejects.toThrow(
    'but no customresourcedefinition/datasets.data.fluid.io: install all of Fluid',
  );
});
