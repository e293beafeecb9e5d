import { describe, expect, it } from 'vitest';
import { admit } from './admit.ts';
import type { Facts } from './facts.ts';
import { auto, eci, facts, inject, type PodOptions, pod, template, volume } from './testing/pods.ts';

const data = (change: object) => ({ mounts: [{ name: 'data', mountPath: '/data', ...change }] });
const early = (change: object = {}) => ({
  spec: {
    initContainers: [{ name: 'prepare', image: 'x', volumeMounts: [{ name: 'data', mountPath: '/d', ...change }] }],
  },
});

describe('a pod is allowed without a word', () => {
  it.each<[string, PodOptions]>([
    ['that is labelled and mounts a read-only dataset', {}],
    ['without the label, whatever it mounts', { labels: {}, ...data({ subPath: 'logs' }) }],
    [
      'whose label has another value',
      { labels: { 'fuse.serverful.fluid.io/inject': 'yes' }, ...data({ subPath: 'logs' }) },
    ],
    ['that mounts a subPath of something else', { claims: { data: 'disk' }, ...data({ subPath: 'logs' }) }],
    ['whose other claim is not bound yet', { claims: { data: 'demo', late: 'late' } }],
    ['with an empty subPath', data({ subPath: '' })],
    ['whose claim names a volume that is bound to another', { claims: { data: 'thief' }, ...data({ subPath: 'x' }) }],
    ['without volumes', { claims: {}, mounts: [] }],
    ['that has its sidecars already', { labels: { ...eci, 'done.sidecar.fluid.io/inject': 'true' }, ...early() }],
    ['that is serverless', { labels: eci, annotations: auto }],
    [
      'that is serverless and mounts a directory without asking for recovery',
      { labels: eci, ...data({ subPath: 'logs' }) },
    ],
    ['with the annotation on an ordinary node', { annotations: auto, labels: {} }],
  ])('%s', (_what, options) => {
    expect(admit(pod(options), facts())).toEqual({ allowed: true, warnings: [] });
  });
});

describe('a pod is denied, with a sentence,', () => {
  it.each<[string, PodOptions, Partial<Facts>, readonly string[]]>([
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
      'for one of an init container',
      early({ subPath: 'x' }),
      {},
      ['init container "prepare" mounts subPath "x" of volume "data"'],
    ],
    [
      'for each of several',
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
      'for a claim that nobody has made',
      { claims: { data: 'demo', other: 'nobody' } },
      {},
      ['claim "nobody"', 'once the Dataset is Bound'],
    ],
    [
      'for a subPath beside the annotation',
      { labels: eci, annotations: auto, ...data({ subPath: 'logs' }) },
      {},
      ['container "demo" mounts subPath "logs"', 'remove the annotation alibabacloud.com/fuse-recover-policy'],
    ],
    [
      'for both labels and a subPath, as serverless',
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
      'for an init container that a sidecar comes too late for',
      { labels: eci, ...early() },
      {},
      ['init container "prepare"', 'mount it in a container'],
    ],
  ])('%s', (_what, options, change, parts) => {
    const answer = admit(pod(options), facts(change));
    const denied = answer.allowed ? 'allowed' : answer.denied;
    expect(
      parts.filter((part) => !denied.includes(part)),
      denied,
    ).toEqual([]);
  });

  it('that stays short, whatever the pod holds', () => {
    const long = 'x'.repeat(64 * 1024);
    const answer = admit(pod({ annotations: { note: long }, ...data({ subPath: long }) }), facts());
    expect(answer.allowed).toBe(false);
    expect(JSON.stringify(answer).length).toBeLessThan(500);
  });
});

describe('a pod is warned', () => {
  const onlyDirectory = new Map([['default-demo', { ...volume('demo'), subdirectory: 'part' }]]);
  it.each<[string, PodOptions, Partial<Facts>, readonly string[]]>([
    [
      'about a read-write dataset',
      { claims: { data: 'scratch' } },
      {},
      ['dataset scratch', 'ReadWriteMany', 'spec.accessModes of the Dataset to ReadOnlyMany alone'],
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
      ['recursiveReadOnly Enabled', 'set readOnly alone'],
    ],
    [
      'about the annotation beside a read-write dataset',
      { labels: eci, annotations: auto, claims: { data: 'scratch' } },
      {},
      ['dataset scratch', 'ReadOnlyMany'],
    ],
    [
      'about the annotation where only a directory is shown',
      { labels: eci, annotations: auto },
      { volumes: onlyDirectory },
      ['directory "part"'],
    ],
    [
      'about the annotation beside restartPolicy Never',
      { labels: eci, annotations: auto, spec: { restartPolicy: 'Never' } },
      {},
      ['restartPolicy Never', 'Always'],
    ],
  ])('%s', (_what, options, change, parts) => {
    const { allowed, warnings } = admit(pod(options), facts(change));
    expect({ allowed, count: warnings.length }).toEqual({ allowed: true, count: 1 });
    expect(
      parts.filter((part) => !warnings[0]?.includes(part)),
      warnings[0],
    ).toEqual([]);
  });
});
