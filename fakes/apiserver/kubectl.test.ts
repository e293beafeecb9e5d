import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { startApiServer } from './api-server.ts';

const missing = execaSync('kubectl', ['version', '--client'], { reject: false }).code === 'ENOENT';

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: fluid-system}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: csi-nodeplugin-fluid, namespace: fluid-system}
spec:
  selector: {matchLabels: {app: csi-nodeplugin-fluid}}
  template:
    metadata: {labels: {app: csi-nodeplugin-fluid}}
    spec:
      containers:
        - {name: node-driver-registrar, image: registrar}
        - {name: plugins, image: agent, args: [--nodeid=n1, --feature-gates=FuseRecovery=false]}
---
apiVersion: v1
kind: Pod
metadata: {name: demo-app}
spec:
  containers: [{name: demo, image: nginx}]
`;

async function start() {
  const server = await startApiServer({ port: 0 });
  const directory = await mkdtemp(join(tmpdir(), 'rekindle-kubectl-'));
  await writeFile(join(directory, 'kubeconfig'), server.kubeConfig);
  await writeFile(join(directory, 'manifest.yaml'), manifest);
  const run = async (command: string): Promise<string> => {
    const { stdout, stderr } = await execa('bash', ['-o', 'pipefail', '-c', command], {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: directory, KUBECONFIG: join(directory, 'kubeconfig') },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
    });
    return stdout === '' ? stderr : stdout;
  };
  return {
    run,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

describe.skipIf(missing)(
  `kubectl on the fake API server${missing ? ' (skipped: kubectl is not on the PATH)' : ''}`,
  () => {
    it('turns the feature gate on as documented, twice', { timeout: 120_000 }, async () => {
      await using rig = await start();
      await rig.run('kubectl create -f manifest.yaml');
      const enable =
        "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | sed 's/FuseRecovery=false/FuseRecovery=true/g' | kubectl apply -f -";
      expect(await rig.run(enable)).toBe('daemonset.apps/csi-nodeplugin-fluid configured\n');
      const check = "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | grep '\\- \\-\\-feature-gates='";
      expect((await rig.run(check)).trim()).toBe('- --feature-gates=FuseRecovery=true');
      await rig.run(enable);
      const generation = 'kubectl get ds -n fluid-system csi-nodeplugin-fluid -o jsonpath={.metadata.generation}';
      expect(await rig.run(generation)).toBe('2');
    });

    it('creates, lists, applies, labels and deletes', { timeout: 120_000 }, async () => {
      await using rig = await start();
      expect(await rig.run('kubectl create -f manifest.yaml')).toContain('pod/demo-app created');
      expect(await rig.run('kubectl get pod demo-app')).toMatch(
        /NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\ndemo-app\s+0\/1\s+Pending\s+0/,
      );
      expect(await rig.run('kubectl label pod demo-app a=b')).toBe('pod/demo-app labeled\n');
      expect(await rig.run('kubectl get pod -l a=b -oname')).toBe('pod/demo-app\n');
      expect(await rig.run('kubectl get pod none')).toBe('Error from server (NotFound): pods "none" not found\n');
      expect(await rig.run('kubectl delete pod demo-app')).toBe('pod "demo-app" deleted\n');
    });
  },
);
