import { AppsV1Api, CoreV1Api, KubeConfig, type V1DaemonSet } from '@kubernetes/client-node';
import { describe, expect, it, vi } from 'vitest';
import { startApiServer } from '../../fakes/apiserver/api-server.ts';
import { keepAgentDaemonSet } from './agent-daemonset.ts';

const where = { name: 'csi-nodeplugin-fluid', namespace: 'fluid-system' };

async function start(gate: boolean) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startApiServer({ port: 0 }));
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(server.kubeConfig);
  const apps = kubeConfig.makeApiClient(AppsV1Api);
  await kubeConfig.makeApiClient(CoreV1Api).createNamespace({ body: { metadata: { name: where.namespace } } });
  const rolledOut: boolean[] = [];
  const rollOut = async (to: boolean) => void rolledOut.push(to);
  const daemonSet = stack.use(await keepAgentDaemonSet({ kubeConfig, gate, rollOut }));
  const read = () => apps.readNamespacedDaemonSet(where);
  const life = stack.move();
  return { apps, daemonSet, read, rolledOut, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

const argumentsOf = ({ spec }: V1DaemonSet) => spec?.template.spec?.containers[0]?.args ?? [];
const isObserved = ({ metadata, status }: V1DaemonSet) => status?.observedGeneration === metadata?.generation;

describe('the DaemonSet of the sandbox’s agent', () => {
  it('restarts the agent when its gate changes, and updates the status', async () => {
    await using rig = await start(false);
    const set = await rig.read();
    const args = argumentsOf(set);
    expect(args).toContain('--feature-gates=FuseRecovery=false');
    const value = args.map((each) => each.replace('=false', '=true'));
    const body = [{ op: 'replace', path: '/spec/template/spec/containers/0/args', value }];
    await rig.apps.patchNamespacedDaemonSet({ ...where, body });
    await vi.waitFor(async () => expect(isObserved(await rig.read())).toBe(true), 10_000);
    expect(rig.rolledOut).toEqual([true]);
  });

  it('follows an agent that was restarted in another way, without a second restart', async () => {
    await using rig = await start(true);
    await rig.daemonSet.follow(true);
    expect((await rig.read()).metadata?.generation).toBe(1);
    await rig.daemonSet.follow(false);
    await vi.waitFor(async () => expect(isObserved(await rig.read())).toBe(true), 10_000);
    expect(argumentsOf(await rig.read())).toContain('--feature-gates=FuseRecovery=false');
    expect(rig.rolledOut).toEqual([]);
  });
});
