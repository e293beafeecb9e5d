import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from '@kubernetes/client-node';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { besideManifests, manifests } from './manifests.ts';
import { defaultOptions, type ManifestOptions, names } from './options.ts';

const folder = fileURLToPath(new URL('./chart', import.meta.url));
const hasHelm = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'helm')));
const reason = hasHelm ? '' : ' (skipped: needs helm on the PATH)';

const titleOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata?.namespace ?? ''} ${metadata?.name}`;
const byTitle = (objects: readonly KubernetesObject[]) =>
  Object.fromEntries(objects.map((each) => [titleOf(each), each]));

function rendered(namespace: string, set: readonly string[], kubeVersion = '1.34.0'): readonly KubernetesObject[] {
  const args = set.flatMap((each) => ['--set', each]);
  const { stdout } = execaSync('helm', [
    'template',
    'r',
    folder,
    '-n',
    namespace,
    '--kube-version',
    kubeVersion,
    ...args,
  ]);
  return parseAllDocuments(stdout).flatMap((document) => document.toJS() ?? []);
}

describe.skipIf(!hasHelm)(`rendered by Helm${reason}`, () => {
  it.each<[string, readonly string[], Partial<ManifestOptions>, 'beside' | 'webhook' | 'alone']>([
    ['with its defaults', [], {}, 'webhook'],
    [
      'with other directories',
      ['kubeletRoot=/data/kubelet', 'mountRoot=/mnt/x'],
      { kubeletRoot: '/data/kubelet', mountRoot: '/mnt/x' },
      'webhook',
    ],
    [
      'with its gates on',
      ['gates.FuseRecovery=true', 'gates.FuseStandby=true'],
      { gate: true, furtherGates: ['FuseStandby'] },
      'webhook',
    ],
    [
      'with fallbacks and flags',
      ['fallback=true', 'extraArgs={--pods=all,--sub-path=recover}'],
      { agentArgs: ['--fallback=annotated', '--pods=all', '--sub-path=recover'] },
      'webhook',
    ],
    [
      'with a flag twice',
      ['extraArgs={--sub-path=recover,--sub-path=refuse}'],
      { agentArgs: ['--sub-path=recover', '--sub-path=refuse'] },
      'webhook',
    ],
    [
      'with a flag of two words',
      ['extraArgs={--sub-path,recover}'],
      { agentArgs: ['--sub-path', 'recover'] },
      'webhook',
    ],
    ['with another image', ['image=registry.example/agent:1'], { image: 'registry.example/agent:1' }, 'webhook'],
    ['without the webhook', ['webhook.enabled=false'], {}, 'alone'],
    ['alongside another plugin', ['beside=true', 'gates.FuseRecovery=true'], { gate: true }, 'beside'],
    ['with the right to patch nodes', ['patchNodes=true'], { agentArgs: ['--patch-nodes=account'] }, 'webhook'],
    [
      'alongside another plugin, with fallbacks',
      ['beside=true', 'gates.FuseRecovery=true', 'fallback=true'],
      { gate: true, agentArgs: ['--fallback=annotated'] },
      'beside',
    ],
  ])('%s, it has the objects that deploy applies', (_, set, options, kind) => {
    for (const namespace of [names.namespace, 'elsewhere']) {
      const all = (kind === 'beside' ? besideManifests : manifests)({ ...defaultOptions, ...options, namespace });
      const expected = all.filter(
        (object) => object.kind !== 'Namespace' && (kind !== 'alone' || object.metadata?.labels?.app !== names.webhook),
      );
      expect(byTitle(rendered(namespace, set))).toEqual(byTitle(JSON.parse(JSON.stringify(expected))));
    }
  });

  it('asks Kubernetes before 1.30 for AppArmor by an annotation', () => {
    const options = { ...defaultOptions, appArmor: 'annotation' } as const;
    const expected = manifests(options).filter(({ kind }) => kind !== 'Namespace');
    expect(byTitle(rendered(names.namespace, [], '1.29.0'))).toEqual(byTitle(JSON.parse(JSON.stringify(expected))));
  });

  it('takes tolerations and resources', () => {
    const set = ['tolerations[0].key=gpu', 'tolerations[0].operator=Exists', 'resources.limits.memory=1Gi'];
    const agent = rendered(names.namespace, set).find(({ kind }) => kind === 'DaemonSet');
    expect(agent).toMatchObject({
      spec: {
        template: {
          spec: {
            tolerations: [{ key: 'gpu', operator: 'Exists' }],
            containers: [{ resources: { limits: { memory: '1Gi' } } }],
          },
        },
      },
    });
  });

  it('passes helm lint', () => {
    const { exitCode, stdout } = execaSync('helm', ['lint', '--strict', folder], { reject: false });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
  });
});
