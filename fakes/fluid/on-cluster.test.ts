import { describe, expect, test } from 'vitest';
import { customResources } from './custom-resources.ts';
import { harnessImages } from './harness-images.ts';
import { plan } from './plan.ts';
import { makeFusePod } from './pod-objects.ts';
import { demoDataset, demoRuntime } from './seed-manifests.ts';
import { validateDataset } from './validate-dataset.ts';
import { makeClaim, makeVolume } from './volume-objects.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const secrets = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const judged = validateDataset(demoDataset, secrets);
if (!judged.ok) throw new Error('the documented dataset is refused');
const facts = judged.value;
const images = harnessImages({ image: 'rekindle/harness:abc', holds: '/var/lib/rekindle/run/holds' });

describe('where containers are real', () => {
  test('a FUSE pod says what it runs, and waits for a hold of its own name', () => {
    const { spec } = makeFusePod({ key, facts, runtime: demoRuntime, nodeName: 'n1', images });
    const [container] = spec?.containers ?? [];
    expect(container).toMatchObject({ image: 'rekindle/harness:abc', command: ['node', '/rekindle/fuse/daemon.cjs'] });
    expect(container?.args).toContain('--hold-file=/var/lib/rekindle/holds/$(POD_NAMESPACE).$(POD_NAME)');
    expect(spec?.volumes?.map(({ hostPath }) => hostPath?.path)).toContain('/var/lib/rekindle/run/holds');
    expect(container?.volumeMounts?.[0]).toMatchObject({ mountPath: '/jfs', mountPropagation: 'Bidirectional' });
  });

  test.each([
    [undefined, []],
    ['Pending', []],
    ['Available', ['PersistentVolumeClaim']],
  ])('a claim is made once its volume has a phase: %s', (phase, made) => {
    const volume = { ...makeVolume(key, 'uid', facts), ...(phase !== undefined && { status: { phase } }) };
    const view = { key, dataset: demoDataset, runtime: demoRuntime, secrets, volume, pods: [] };
    const steps = plan({ ...view, claim: undefined, daemonSet: undefined }, images, '2025-01-01T00:00:00.000Z');
    const kinds = steps.flatMap((step) => (step.do === 'create' ? [step.object.kind] : []));
    expect(kinds.filter((kind) => kind === 'PersistentVolumeClaim')).toEqual(made);
  });
});

test('the volume names the claim, and not the claim the volume, which would be bound only after many seconds', () => {
  expect(makeVolume(key, 'uid', facts).spec?.claimRef).toMatchObject({ name: 'demo-dataset' });
  expect(makeClaim(key, 'uid', facts).spec?.volumeName).toBeUndefined();
});

test('the definitions keep what they do not know, in the status too, and bear the labels', () => {
  const [dataset, runtime] = customResources({ 'rekindle.dev/run': 'r' }) as readonly [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  expect([dataset, runtime].map(({ metadata }) => metadata)).toEqual([
    { name: 'datasets.data.fluid.io', labels: { 'rekindle.dev/run': 'r' } },
    { name: 'jindoruntimes.data.fluid.io', labels: { 'rekindle.dev/run': 'r' } },
  ]);
  const open = { 'x-kubernetes-preserve-unknown-fields': true };
  const version = {
    subresources: { status: {} },
    schema: { openAPIV3Schema: { properties: { spec: open, status: open } } },
  };
  expect(dataset.spec).toMatchObject({ versions: [version] });
  expect(runtime.spec).toMatchObject({
    versions: [
      {
        schema: {
          openAPIV3Schema: {
            properties: {
              spec: {
                properties: {
                  tieredstore: {
                    properties: { levels: { items: { properties: { mediumtype: { enum: ['MEM', 'SSD', 'HDD'] } } } } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  });
});
