import { expect, test } from 'vitest';
import { assessPlaces } from './assess-places.ts';
import type { InspectedCluster, InspectedNode } from './gather-cluster.ts';
import type { InspectedPlaces } from './inspect-nodes.ts';

const usual: InspectedPlaces = {
  root: '/var/lib/kubelet',
  used: '/var/lib/kubelet',
  isSelinuxEnforcing: false,
  kubeConfig: { path: '/etc/kubernetes/kubelet.conf', runsProgram: false },
};

const node = (facts: Partial<InspectedNode> = {}, places: InspectedPlaces = usual): InspectedNode => ({
  name: 'a',
  kernelRelease: '6.8.0',
  osImage: 'Ubuntu',
  architecture: 'amd64',
  virtual: false,
  avoided: false,
  ready: true,
  cordoned: false,
  inspection: { state: 'inspected', fuse: 'ok', kubelet: { mountPoint: '/', shared: true }, places },
  ...facts,
});

const cluster = (facts: Partial<InspectedCluster> = {}): InspectedCluster => ({
  version: 'v1.34.4',
  nodes: [node()],
  foreign: [],
  deployed: false,
  stores: [],
  asked: { kubeletRoot: '/var/lib/kubelet', mountRoot: '/runtime-mnt' },
  admission: { state: 'admitted', namespace: 'fluid-system' },
  sandboxRuntimes: [],
  isEksWithOtherNetwork: false,
  isGke: false,
  ...facts,
});

const withPlaces = (places: Partial<InspectedPlaces>) => cluster({ nodes: [node({}, { ...usual, ...places })] });
const { used: _, root: __, ...unnamed } = usual;
const { kubeConfig: ___, ...withoutConfig } = usual;

test('a usual cluster has nothing to follow', () => {
  expect(assessPlaces(cluster()).map(({ what, mark }) => `${mark} ${what}`)).toEqual([
    'ok kubelet directory of a',
    'ok mount root of a',
    "ok kubelet's kubeconfig of a",
    "ok creation of the agent's pods",
  ]);
});

test('a link to the directory of the kubelet is as good as its path', () => {
  const { kubeletRoot, ...rest } = cluster().asked;
  const linked = withPlaces({ root: '/data/kubelet', used: '/data/kubelet' });
  expect(assessPlaces({ ...linked, asked: { kubeletRoot, ...rest } })[0]).toMatchObject({
    mark: 'ok',
    says: '/var/lib/kubelet, which leads to /data/kubelet',
  });
});

test.each<[string, InspectedCluster, string, string, RegExp]>([
  ['is not ready', cluster({ nodes: [node({ ready: false })] }), 'note', 'readiness of a', /describe node a/],
  ['is cordoned', cluster({ nodes: [node({ cordoned: true })] }), 'note', 'readiness of a', /uncordon a/],
  [
    'is virtual and not labelled',
    cluster({ nodes: [node({ virtual: true })] }),
    'note',
    'label of a',
    /label node a type=virtual-kubelet/,
  ],
  [
    'has its kubelet elsewhere',
    withPlaces({ used: '/data/kubelet' }),
    'missing',
    'kubelet directory of a',
    /--kubelet-root \/data\/kubelet; .*ln -s \/data\/kubelet \/var\/lib\/kubelet/,
  ],
  [
    'has a kubelet of another name and its directory elsewhere',
    cluster({ nodes: [node({}, unnamed)] }),
    'missing',
    'kubelet directory of a',
    /look for --root-dir/,
  ],
  [
    'has a read-only root',
    withPlaces({ mountRootError: '/ is mounted read-only' }),
    'missing',
    'mount root of a',
    /--mount-root \/var\/lib\/runtime-mnt.*runtime\.mountRoot/,
  ],
  [
    'has the kubeconfig of its kubelet elsewhere',
    withPlaces({ kubeConfig: { path: '/k3s/kubelet.kubeconfig', runsProgram: false } }),
    'note',
    "kubelet's kubeconfig of a",
    /--kubelet-kube-config \/k3s\/kubelet\.kubeconfig/,
  ],
  [
    'has a kubelet that runs a program for its credentials',
    withPlaces({ kubeConfig: { path: '/var/lib/kubelet/kubeconfig', runsProgram: true } }),
    'note',
    "kubelet's kubeconfig of a",
    /--patch-nodes/,
  ],
  [
    'shows no kubeconfig',
    cluster({ nodes: [node({}, withoutConfig)] }),
    'note',
    "kubelet's kubeconfig of a",
    /--patch-nodes, or/,
  ],
  ['enforces SELinux', withPlaces({ isSelinuxEnforcing: true }), 'note', 'SELinux of a', /ausearch/],
])('a node that %s is named with what to do', (_title, facts, mark, what, remedy) => {
  const finding = assessPlaces(facts).find((each) => each.what === what);
  expect(finding).toMatchObject({ mark, remedy: expect.stringMatching(remedy) });
});

test.each([
  ['violates PodSecurity "restricted:latest": host namespaces', /label namespace fluid-system --overwrite/],
  ['unable to validate against any security context constraint', /oc adm policy/],
  ['insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]', /ResourceQuota/],
  ['admission webhook "deny.example" denied the request', /exempt the namespace/],
])('a pod that would be refused (%s) is named with its remedy', (message, remedy) => {
  const refused = cluster({ admission: { state: 'refused', namespace: 'fluid-system', message } });
  expect(assessPlaces(refused).find(({ mark }) => mark === 'missing')).toMatchObject({
    says: `refused in fluid-system: ${message}`,
    remedy: expect.stringMatching(remedy),
  });
});

test.each<[Partial<InspectedCluster>, RegExp]>([
  [{ isEksWithOtherNetwork: true }, /--webhook-host-network/],
  [{ isGke: true }, /--webhook-port 10250/],
  [{ sandboxRuntimes: ['kata-cc'] }, /--unsupported-runtimes=kata,.*,runv,rund,kata-cc/],
  [{ admission: { state: 'not-tried' } }, /without --no-pods/],
])('%j is a note with the flag that follows it', (facts, remedy) => {
  const notes = assessPlaces(cluster(facts)).filter(({ mark }) => mark === 'note');
  expect(notes).toEqual([expect.objectContaining({ remedy: expect.stringMatching(remedy) })]);
});
