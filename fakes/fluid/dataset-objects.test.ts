import type { V1DaemonSet } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { harnessImages } from './controller-objects.ts';
import { customResources } from './custom-resources.ts';
import { makeClaim, makeFuseDaemonSet, makeVolume } from './dataset-objects.ts';
import { plan } from './plan.ts';
import { demoDataset, demoRuntime } from './testing/documented-manifests.ts';
import { validateDataset } from './validate-dataset.ts';

const key = { namespace: 'default', name: 'demo-dataset' };
const secretKeys = new Map([['mysecret', new Set(['fs.oss.accessKeyId', 'fs.oss.accessKeySecret'])]]);
const validation = validateDataset(demoDataset, secretKeys);
if (!validation.ok) throw new Error('the documented dataset is refused');
const settings = validation.value;
const images = harnessImages({ image: 'rekindle/harness:abc', holds: '/var/lib/rekindle/run/holds' });

const templateOf = ({ spec }: V1DaemonSet) => spec?.template ?? {};

describe('on a real cluster', () => {
  test('a FUSE pod has a command, and waits for the hold file of its own name', () => {
    const { spec } = templateOf(makeFuseDaemonSet({ key, uid: 'uid', settings, runtime: demoRuntime, images }));
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
  ])('a claim is created once its volume has a phase: %s', (phase, created) => {
    const volume = { ...makeVolume(key, 'uid', settings), ...(phase !== undefined && { status: { phase } }) };
    const observed = {
      key,
      dataset: demoDataset,
      runtime: demoRuntime,
      secretKeys,
      volume,
      pods: [],
      nodes: [],
      standbyDaemonSets: [],
    };
    const steps = plan({ ...observed, claim: undefined, daemonSet: undefined }, images, '2025-01-01T00:00:00.000Z');
    const kinds = steps.flatMap((step) => (step.do === 'create' ? [step.object.kind] : []));
    expect(kinds.filter((kind) => kind === 'PersistentVolumeClaim')).toEqual(created);
  });
});

test('the volume names the label by which the node plugin places the daemon, as its DaemonSet selects it', () => {
  for (const [name, label] of [
    ['demo-dataset', 'fluid.io/f-default-demo-dataset'],
    ['d'.repeat(60), 'fluid.io/f-uid'],
  ] as const) {
    const long = { namespace: 'default', name };
    const attributes = makeVolume(long, 'uid', settings).spec?.csi?.volumeAttributes;
    expect(attributes).toMatchObject({ mount_pod_node_selector_key: label });
    const set = makeFuseDaemonSet({ key: long, uid: 'uid', settings, runtime: demoRuntime, images });
    expect(templateOf(set).spec?.nodeSelector).toEqual({ [label]: 'true' });
  }
});

test('the volume names the claim; a claim that names its volume would be bound many seconds later', () => {
  expect(makeVolume(key, 'uid', settings).spec?.claimRef).toMatchObject({ name: 'demo-dataset' });
  expect(makeClaim(key, 'uid', settings).spec?.volumeName).toBeUndefined();
});

test('the definitions keep unknown fields, in the status too, and have the labels', () => {
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

describe('a dataset whose daemons leave their connection to a keeper', () => {
  const podOf = (takeover: boolean, standby?: number) =>
    templateOf(
      makeFuseDaemonSet({
        key,
        uid: 'uid',
        settings: { ...settings, takeover },
        runtime: demoRuntime,
        images,
        standby,
      }),
    );
  const keeperPaths = ({ spec }: ReturnType<typeof templateOf>) =>
    spec?.volumes?.flatMap(({ hostPath }) => (hostPath?.path.includes('keeper') ? [hostPath.path] : []));
  const keeperFlags = ({ spec }: ReturnType<typeof templateOf>) =>
    spec?.containers[0]?.args?.filter((argument) => argument.startsWith('--keeper='));

  test("has the keeper's directory of its own, and no other", () => {
    expect(keeperPaths(podOf(true))).toEqual(['/run/rekindle-keeper/default.demo-dataset']);
    expect(keeperFlags(podOf(true))).toEqual(['--keeper=/run/rekindle-keeper/fuse_fd_csi_comm.sock']);
  });

  test('is asked for by the annotation, and never for a standby', () => {
    const metadata = { ...demoDataset.metadata, annotations: { 'rekindle.dev/takeover': 'true' } };
    expect(validateDataset({ ...demoDataset, metadata }, secretKeys)).toMatchObject({ value: { takeover: true } });
    expect(settings.takeover).toBe(false);
    for (const pod of [podOf(false), podOf(true, 0)]) {
      expect(keeperPaths(pod)).toEqual([]);
      expect(keeperFlags(pod)).toEqual([]);
    }
  });
});
