import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CoreV1Api } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiServer, startApiServer } from '../../fakes/apiserver/api-server.ts';
import { clientConfig } from '../../fakes/apiserver/client-config.ts';
import { createFakeContext } from './fake-context.ts';
import { rekindle } from './rekindle.ts';

let api: ApiServer;
let cwd: string;
let context: string;

beforeAll(async () => {
  api = await startApiServer({ port: 0 });
  cwd = mkdtempSync(join(tmpdir(), 'rekindle-crash-pod-'));
  writeFileSync(join(cwd, 'config'), api.kubeConfig);
  const kubeConfig = clientConfig(api.kubeConfig);
  context = kubeConfig.getCurrentContext();
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const namespace = 'default';
  await core.createNamespacedPersistentVolumeClaim({
    namespace,
    body: {
      metadata: { name: 'shared' },
      spec: { volumeName: 'pv-1', accessModes: ['ReadOnlyMany'], resources: { requests: { storage: '1Gi' } } },
    },
  });
  for (const [name, claim, nodeName] of [
    ['web', 'shared', 'worker-1'],
    ['batch', 'shared', 'worker-1'],
    ['elsewhere', 'shared', 'worker-2'],
    ['plain', undefined, 'worker-1'],
    ['pending', 'shared', undefined],
  ] as const) {
    const volumes = claim ? [{ name: 'data', persistentVolumeClaim: { claimName: claim } }] : [];
    const volumeMounts = claim ? [{ name: 'data', mountPath: '/srv/data/' }] : [];
    const spec = { ...(nodeName && { nodeName }), volumes, containers: [{ name: 'app', image: 'app', volumeMounts }] };
    await core.createNamespacedPod({ namespace, body: { metadata: { name }, spec } });
    const status = { phase: nodeName === undefined ? 'Pending' : 'Running' };
    await core.patchNamespacedPodStatus({ name, namespace, body: [{ op: 'add', path: '/status', value: status }] });
  }
});
afterAll(async () => {
  rmSync(cwd, { recursive: true });
  await api[Symbol.asyncDispose]();
});

/** `answer`: what is typed on a terminal. Absent: there is none. */
async function run(flags: readonly string[], answer?: string) {
  const stdin = Object.assign(Readable.from(answer === undefined ? [] : [`${answer}\n`]), {
    isTTY: answer !== undefined,
  });
  const fake = createFakeContext({ cwd, env: { HOME: cwd, KUBECONFIG: 'config' }, stdin });
  const status = await rekindle(['crash', ...flags], fake.context);
  return { status, err: fake.stderr(), crashed: fake.crashedPods, inSandbox: fake.crashed };
}

const web = () => ['--context', context, '--pod', 'default/web'];

test('without a terminal it explains what breaks, and creates nothing without --yes', async () => {
  const { status, err, crashed } = await run(web());
  expect([status, crashed]).toEqual([2, []]);
  expect(err).toContain('sends SIGKILL to the FUSE daemon that serves the volume of pod default/web on node worker-1');
  expect(err).toContain('So does every read of batch, and of pods of other namespaces');
  expect(err).toContain('consent with --yes');
});

test.each(['', 'n', 'no', 'yesterday'])('the answer %j is no consent', async (answer) => {
  const { status, err, crashed } = await run(web(), answer);
  expect([status, crashed]).toEqual([130, []]);
  expect(err).toContain('nothing was created, and nothing was crashed');
});

test.each<[string, readonly string[], string | undefined]>([
  ['y on a terminal', [], 'y'],
  ['--yes', ['--yes'], undefined],
])('%s is consent', async (_, flags, answer) => {
  const { status, crashed, inSandbox } = await run([...web(), '--for', '40s', '--path', '/srv/data', ...flags], answer);
  expect([status, inSandbox]).toEqual([0, []]);
  expect(crashed).toMatchObject([
    {
      context,
      path: '/srv/data',
      timeoutMs: 40_000,
      pod: {
        namespace: 'default',
        name: 'web',
        node: 'worker-1',
        mounts: [{ container: 'app', path: '/srv/data', volume: 'pv-1', readOnly: true }],
        sharers: ['batch'],
      },
    },
  ]);
});

test.each<[string, readonly string[], number, string]>([
  ['no context', ['--pod', 'default/web'], 2, '--pod needs --context'],
  ['no namespace', ['--context', 'x', '--pod', 'web'], 2, 'it is NAMESPACE/NAME'],
  ['another fault', ['--context', 'x', '--pod', 'a/b', '--fault', 'abort'], 2, '--fault is for a crash in the sandbox'],
  [
    'no recovery',
    ['--context', 'x', '--pod', 'a/b', '--no-recovery'],
    2,
    '--no-recovery is for a crash in the sandbox',
  ],
  ['a program', ['--context', 'x', '--pod', 'a/b', '--', 'cat'], 2, 'a COMMAND is for a crash in the sandbox'],
  ['an option without its pod', ['--yes'], 2, '--yes is for --pod NAMESPACE/NAME'],
])('%s is refused', async (_, flags, wanted, says) => {
  const { status, err, crashed, inSandbox } = await run(flags);
  expect([status, crashed, inSandbox]).toEqual([wanted, [], []]);
  expect(err).toContain(says);
});

test.each([
  ['that is not there', 'default/none', 'there is no pod default/none'],
  ['that does not run', 'default/pending', 'pod default/pending does not run (Pending)'],
  ['without such a volume', 'default/plain', 'mounts neither a claim nor an inline CSI volume'],
])('a pod %s is refused, and nobody is asked', async (_, pod, says) => {
  const { status, err, crashed } = await run(['--context', context, '--pod', pod, '--yes']);
  expect([status, crashed]).toEqual([3, []]);
  expect(err).toContain(says);
});
