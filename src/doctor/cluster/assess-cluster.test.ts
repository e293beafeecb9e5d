import { describe, expect, test } from 'vitest';
import { missingRequirements } from '../assess.ts';
import { assessCluster } from './assess-cluster.ts';
import type { InspectedCluster, InspectedNode } from './gather-cluster.ts';

const node: InspectedNode = {
  name: 'node-1',
  kernelRelease: '6.8.0-41-generic',
  osImage: 'Ubuntu 24.04',
  architecture: 'amd64',
  virtual: false,
  avoided: false,
  ready: true,
  cordoned: false,
  inspection: { state: 'inspected', fuse: 'ok', kubelet: { mountPoint: '/', shared: true } },
};
const store = { source: 'dataset default/demo', endpoint: 'http://minio:9000', bucket: 'demo' };
const virtualNode: InspectedNode = {
  ...node,
  name: 'vk',
  virtual: true,
  avoided: true,
  osImage: '',
  kernelRelease: '',
  inspection: { state: 'not-inspected' },
};

const good: InspectedCluster = {
  version: 'v1.34.4',
  nodes: [node, virtualNode],
  foreign: [],
  deployed: false,
  stores: [{ ...store, answer: { status: 200 } }],
  asked: { kubeletRoot: '/var/lib/kubelet', mountRoot: '/runtime-mnt' },
  admission: { state: 'admitted', namespace: 'fluid-system' },
  sandboxRuntimes: [],
  isEksWithOtherNetwork: false,
  isGke: false,
};

test('a cluster that has all lacks nothing, and of a virtual node nothing more is asked', () => {
  const findings = assessCluster(good);
  expect(findings.filter(({ mark }) => mark !== 'ok')).toEqual([]);
  expect(findings.filter(({ what }) => what.endsWith('of vk'))).toEqual([]);
});

const withNode = (facts: Partial<InspectedNode>): Partial<InspectedCluster> => ({
  nodes: [{ ...node, ...facts }, virtualNode],
});
const seen = { state: 'inspected', fuse: 'ok', kubelet: { mountPoint: '/', shared: true } } as const;

test.each([
  ['amd64', 'ok'],
  ['arm64', 'ok'],
  ['s390x', 'note'],
])('a node with %s: %s', (architecture, mark) => {
  const findings = assessCluster({ ...good, ...withNode({ architecture }) });
  expect(findings.find(({ what }) => what === 'P2 OS of node-1')?.mark).toBe(mark);
});

describe('each missing thing is named with its remedy', () => {
  test.each<[string, Partial<InspectedCluster>, string, RegExp, RegExp]>([
    ['an old version', { version: 'v1.17.9' }, 'P1 Kubernetes', /v1\.17\.9 is before 1\.18/, /upgrade/],
    ['ContainerOS', withNode({ osImage: 'ContainerOS 3.2' }), 'P2 OS of node-1', /ContainerOS/, /another operating/],
    [
      'another Fluid',
      { foreign: ['daemonset/csi-nodeplugin-fluid in fluid-system'] },
      'P3 other Fluid',
      /daemonset\/csi-nodeplugin-fluid/,
      /helm uninstall fluid; .*--beside/,
    ],
    ['a bucket', { stores: [{ ...store, answer: { status: 404 } }] }, 'P4 object storage', /does not exist/, /create/],
    ['good keys', { stores: [{ ...store, answer: { status: 403 } }] }, 'P4 object storage', /refuses/, /Secret/],
    [
      'a store',
      { stores: [{ ...store, answer: { reason: 'ECONNREFUSED' } }] },
      'P4 object storage',
      /ECONNR/,
      /enable/,
    ],
    ['a store that works', { stores: [{ ...store, answer: { status: 503 } }] }, 'P4 object storage', /503/, /look at/],
    ['an old kernel', withNode({ kernelRelease: '4.19.91' }), 'kernel of node-1', /before 5\.10/, /5\.10/],
    ['FUSE', withNode({ inspection: { ...seen, fuse: 'ENOENT' } }), '/dev/fuse of node-1', /not there/, /modprobe/],
    [
      'a FUSE that opens',
      withNode({ inspection: { ...seen, fuse: 'EPERM' } }),
      '/dev/fuse of node-1',
      /EPERM/,
      /modprobe/,
    ],
    [
      'propagation',
      withNode({ inspection: { ...seen, kubelet: { mountPoint: '/var', shared: false } } }),
      'propagation of node-1',
      /not shared \(mount \/var\)/,
      /make-rshared \/var/,
    ],
  ])('%s', (_, facts, what, says, remedy) => {
    const findings = assessCluster({ ...good, ...facts });
    expect(findings.find((finding) => finding.what === what)).toMatchObject({
      mark: 'missing',
      says: expect.stringMatching(says),
      remedy: expect.stringMatching(remedy),
    });
    expect(missingRequirements(findings)).toHaveLength(1);
  });
});

test('a node that its pod could not look at is missing both answers, with what the pod said', () => {
  const findings = assessCluster({
    ...good,
    ...withNode({ inspection: { state: 'failed', reason: 'ErrImagePull: x' } }),
  });
  expect(missingRequirements(findings).map(({ what }) => what)).toEqual([
    '/dev/fuse of node-1 could not be looked at: ErrImagePull: x',
    'propagation of node-1 could not be looked at: ErrImagePull: x',
  ]);
});

test('what was not requested is noted, and fails nothing', () => {
  const { answer: _, ...unasked } = { ...store, answer: { status: 200 } };
  const findings = assessCluster({
    ...good,
    nodes: [{ ...node, inspection: { state: 'not-inspected' } }],
    stores: [unasked],
  });
  expect(missingRequirements(findings)).toEqual([]);
  expect(findings.filter(({ mark }) => mark === 'note').map(({ what }) => what)).toEqual([
    'P4 object storage',
    'P5 virtual node',
    '/dev/fuse of node-1',
    'propagation of node-1',
  ]);
  expect(assessCluster({ ...good, stores: [] }).find(({ what }) => what === 'P4 object storage')).toMatchObject({
    mark: 'note',
    remedy: expect.stringContaining('--bucket'),
  });
});
