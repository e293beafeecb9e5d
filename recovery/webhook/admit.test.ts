import { describe, expect, it } from 'vitest';
import { admit } from './admit.ts';
import type { ClusterState } from './facts.ts';
import { auto, eci, facts, inject, type PodOptions, pod, template, volume } from './testing/sample-pods.ts';

const data = (change: object) => ({ mounts: [{ name: 'data', mountPath: '/data', ...change }] });
const early = (change: object = {}) => ({
  spec: {
    initContainers: [{ name: 'prepare', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/d', ...change }] }],
  },
});

it('admits a subPath that the agents recover, though not in a serverless pod, which has none', () => {
  const recovers = facts({ recoversSubPath: true });
  expect(admit(pod(data({ subPath: 'logs' })), recovers)).toEqual({ allowed: true, warnings: [] });
  const serverless = pod({ labels: eci, annotations: auto, ...data({ subPath: 'logs' }) });
  expect(admit(serverless, recovers)).toMatchObject({ allowed: false });
});

describe('admits without a warning a pod', () => {
  it.each<[string, PodOptions]>([
    ['with the recovery label that mounts a read-only dataset', {}],
    ['without the label, even if it mounts a subPath', { labels: {}, ...data({ subPath: 'logs' }) }],
    [
      'whose recovery label has another value',
      { labels: { 'fuse.serverful.fluid.io/inject': 'yes' }, ...data({ subPath: 'logs' }) },
    ],
    [
      'that mounts a subPath of a volume that is not a dataset',
      { claims: { data: 'disk' }, ...data({ subPath: 'logs' }) },
    ],
    ['whose other claim is not bound yet', { claims: { data: 'demo', late: 'late' } }],
    ['with an empty subPath', data({ subPath: '' })],
    [
      'whose claim names a volume that is bound to another claim',
      { claims: { data: 'thief' }, ...data({ subPath: 'x' }) },
    ],
    ['without volumes', { claims: {}, mounts: [] }],
    ['that already has its sidecars', { labels: { ...eci, 'done.sidecar.fluid.io/inject': 'true' }, ...early() }],
    ['that is serverless', { labels: eci, annotations: auto }],
    ['that is serverless and ends by itself', { labels: eci, annotations: auto, spec: { restartPolicy: 'Never' } }],
    [
      'that is serverless and mounts a subPath without requesting recovery',
      { labels: eci, ...data({ subPath: 'logs' }) },
    ],
    ['with the annotation but without a label', { annotations: auto, labels: {} }],
  ])('%s', (_title, options) => {
    expect(admit(pod(options), facts())).toEqual({ allowed: true, warnings: [] });
  });
});

describe('denies a pod', () => {
  it.each<[string, PodOptions, Partial<ClusterState>, readonly string[]]>([
    [
      'for a subPath',
      data({ subPath: 'logs' }),
      {},
      [
        'container "demo" mounts subPath "logs" of volume "data" (dataset demo)',
        'mount the whole volume',
        'remove the label',
      ],
    ],
    [
      'for a subPathExpr',
      data({ subPathExpr: '$(POD)' }),
      {},
      ['container "demo" mounts subPathExpr "$(POD)" of volume "data"'],
    ],
    [
      'for a subPath of an init container',
      early({ subPath: 'x' }),
      {},
      ['init container "prepare" mounts subPath "x" of volume "data"'],
    ],
    [
      'for every subPath, in one message',
      {
        mounts: [
          { name: 'data', mountPath: '/a', subPath: 'a' },
          { name: 'data', mountPath: '/b', subPath: 'b' },
        ],
      },
      {},
      ['subPath "a"', 'subPath "b"'],
    ],
    [
      'for a claim that does not exist',
      { claims: { data: 'demo', other: 'nobody' } },
      {},
      ['claim "nobody"', 'once the Dataset is Bound'],
    ],
    [
      'for a subPath if the annotation requests recovery',
      { labels: eci, annotations: auto, ...data({ subPath: 'logs' }) },
      {},
      ['container "demo" mounts subPath "logs"', 'remove the annotation alibabacloud.com/fuse-recover-policy'],
    ],
    [
      'with both labels as serverless',
      { labels: { ...inject, ...eci }, annotations: auto, ...data({ subPath: 'l' }) },
      {},
      ['annotation'],
    ],
    [
      'for a dataset without FUSE daemons',
      { labels: eci },
      { daemons: new Map() },
      ['dataset demo has no DaemonSet', 'volume "data"'],
    ],
    [
      'for FUSE daemons that share no directory',
      { labels: eci },
      { daemons: new Map([['default/demo', { ...template, volumes: [] }]]) },
      ['no Bidirectional hostPath above /runtime-mnt/jindo/default/demo/jindofs-fuse'],
    ],
    [
      'in a namespace whose Pod Security level forbids the sidecar, in words of the pod',
      { labels: eci },
      { podSecurity: 'restricted' },
      [
        'namespace default enforces',
        '"restricted"',
        'volume "data" (dataset demo)',
        'alibabacloud.com/fluid-sidecar-target',
      ],
    ],
    [
      'for an init container that mounts a dataset, because sidecars start later',
      { labels: eci, ...early() },
      {},
      ['init container "prepare"', 'mount it in a container'],
    ],
  ])('%s', (_title, options, change, parts) => {
    const admission = admit(pod(options), facts(change));
    const message = admission.allowed ? 'allowed' : admission.message;
    expect(
      parts.filter((part) => !message.includes(part)),
      message,
    ).toEqual([]);
  });

  it('with a short message even if its fields are long', () => {
    const long = 'x'.repeat(64 * 1024);
    const admission = admit(pod({ annotations: { note: long }, ...data({ subPath: long }) }), facts());
    expect(admission.allowed).toBe(false);
    expect(JSON.stringify(admission).length).toBeLessThan(500);
  });
});

describe('warns', () => {
  const onlyDirectory = new Map([['default-demo', { ...volume('demo'), subdirectory: 'part' }]]);
  it.each<[string, PodOptions, Partial<ClusterState>, readonly string[]]>([
    [
      'about a read-write dataset',
      { claims: { data: 'scratch' } },
      {},
      ['dataset scratch', 'ReadWriteMany', 'spec.accessModes of the Dataset to ReadOnlyMany only'],
    ],
    [
      'about a dataset without access modes',
      {},
      { volumes: new Map([['default-demo', volume('demo', [])]]) },
      ['no access mode'],
    ],
    [
      'about propagation None',
      data({ mountPropagation: 'None' }),
      {},
      ['container "demo"', 'volume "data"', 'mountPropagation None', 'remove the field'],
    ],
    [
      'about recursiveReadOnly',
      data({ readOnly: true, recursiveReadOnly: 'Enabled' }),
      {},
      ['recursiveReadOnly Enabled', 'set readOnly only'],
    ],
    [
      'about the annotation on a pod with a read-write dataset',
      { labels: eci, annotations: auto, claims: { data: 'scratch' } },
      {},
      ['dataset scratch', 'ReadOnlyMany'],
    ],
    [
      'about the annotation if the volume contains only a directory of the dataset',
      { labels: eci, annotations: auto },
      { volumes: onlyDirectory },
      ['directory "part"'],
    ],
    [
      'about the annotation together with restartPolicy Never',
      { labels: eci, annotations: auto, spec: { restartPolicy: 'Never' } },
      { hasNativeSidecars: false },
      ['restartPolicy Never', 'Always'],
    ],
  ])('%s', (_title, options, change, parts) => {
    const { allowed, warnings } = admit(pod(options), facts(change));
    expect({ allowed, count: warnings.length }).toEqual({ allowed: true, count: 1 });
    expect(
      parts.filter((part) => !warnings[0]?.includes(part)),
      warnings[0],
    ).toEqual([]);
  });
});
