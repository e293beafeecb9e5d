import { deepStrictEqual, ok } from 'node:assert/strict';
import { Then, When } from '@cucumber/cucumber';
import { type RunningCluster, requireMember, type Terminal } from '../../clusters/cluster.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { kill1 } from '../../src/faults/daemon.ts';
import { momentary } from '../../src/faults/fault.ts';
import { untilLoopLists } from '../../src/scenario/documented-loop.ts';
import type { RekindleWorld } from '../support/world.ts';

/** The document's files, with bucket, endpoint, keys and image filled in. */
const secretYaml = ({ accessKeyId, accessKeySecret }: RunningCluster['store']) => `apiVersion: v1
kind: Secret
metadata:
  name: mysecret
stringData:
  fs.oss.accessKeyId: ${accessKeyId}
  fs.oss.accessKeySecret: ${accessKeySecret}
`;

const datasetYaml = (
  { bucket, endpoint }: RunningCluster['store'],
  directory: string,
) => `apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata:
  name: demo-dataset
spec:
  mounts:
    - mountPoint: oss://${bucket}/${directory}
      options:
        fs.oss.endpoint: ${endpoint}
      name: mybucket
      path: "/"
      encryptOptions:
        - name: fs.oss.accessKeyId
          valueFrom:
            secretKeyRef:
              name: mysecret
              key: fs.oss.accessKeyId
        - name: fs.oss.accessKeySecret
          valueFrom:
            secretKeyRef:
              name: mysecret
              key: fs.oss.accessKeySecret
---
apiVersion: data.fluid.io/v1alpha1
kind: JindoRuntime
metadata:
  name: demo-dataset
spec:
  replicas: 2
  tieredstore:
    levels:
      - mediumtype: MEM
        path: /dev/shm
        volumeType: emptyDir
        quota: 2Gi
        high: "0.99"
        low: "0.95"
`;

const appYaml = `apiVersion: v1
kind: Pod
metadata:
  name: demo-app
  labels:
    fuse.serverful.fluid.io/inject: "true"
spec:
  containers:
    - name: demo
      image: nginx:stable
      volumeMounts:
        - mountPath: /data
          name: data-vol
  volumes:
    - name: data-vol
      persistentVolumeClaim:
        claimName: demo-dataset   # The value of this parameter must be the same as the name of the Dataset.
`;

/** Step 4 of the document, byte for byte. */
const loop = "kubectl exec -it demo-app -- bash -c 'while true; do ls -l /data; sleep 1; done'";
const crash = `demo_pod_node_name=$(kubectl get pod demo-app -ojsonpath='{.spec.nodeName}')
fuse_pod_name=$(kubectl get pod --field-selector spec.nodeName=$demo_pod_node_name --selector role=jindofs-fuse,release=demo-dataset -oname)
kubectl exec -it $fuse_pod_name -- bash -c 'kill 1'`;

/** `kill 1` takes the shell that runs it along. */
const killedStatus = 137;

const terminals = new WeakMap<RekindleWorld, Terminal>();

/** The terminal in which a reader follows the document, until the end of the scenario. */
async function terminalOf(world: RekindleWorld): Promise<Terminal> {
  const known = terminals.get(world);
  if (known) return known;
  const terminal = world.scenario.use(
    await requireMember(world.session.cluster, 'kubectl').openTerminal(world.namespace.name),
  );
  terminals.set(world, terminal);
  return terminal;
}

/** Runs a command line and returns its output. */
async function type(terminal: Terminal, line: string): Promise<string> {
  const { stdout, exitCode } = await terminal.run(line);
  ok(exitCode === 0, `status ${exitCode} of ${line}: ${stdout.trim() || '(no output)'}`);
  return stdout;
}

When('the documented files are created with the documented commands', async function (this: RekindleWorld) {
  const terminal = await terminalOf(this);
  const { store } = this.session.cluster;
  terminal.write('secret.yaml', secretYaml(store));
  terminal.write('dataset.yaml', datasetYaml(store, await this.dataset.upload()));
  terminal.write('app.yaml', appYaml);
  const create = (file: string) => type(terminal, `kubectl create -f ${file}`);
  const printed = [await create('secret.yaml'), await create('dataset.yaml')];
  // A reader takes longer than this to type the next command.
  await this.dataset.bound();
  printed.push(await create('app.yaml'));
  await this.pod.observe(this.dataset);
  deepStrictEqual(printed.join('').trimEnd().split('\n'), [
    'secret/mysecret created',
    'dataset.data.fluid.io/demo-dataset created',
    'jindoruntime.data.fluid.io/demo-dataset created',
    'pod/demo-app created',
  ]);
});

Then('the documented command prints the pod as {string}', async function (this: RekindleWorld, row: string) {
  const lines = (await type(await terminalOf(this), 'kubectl get pod demo-app')).trimEnd().split('\n');
  const withoutAge = lines.map((line) => line.trim().split(/\s+/).slice(0, 4).join(' '));
  deepStrictEqual(withoutAge, ['NAME READY STATUS RESTARTS', row]);
});

When('the documented loop runs in a terminal', async function (this: RekindleWorld) {
  const terminal = await terminalOf(this);
  this.scenario.use(await terminal.start(loop, 'loop in demo-app'));
  await untilLoopLists(this.scenario);
});

When(
  'the documented commands crash the FUSE pod, which takes {duration} to start again',
  async function (this: RekindleWorld, downMs: number) {
    const terminal = await terminalOf(this);
    const inject = async () => {
      const at = monotonicNow();
      const { stdout, exitCode } = await terminal.run(crash);
      ok(exitCode === 0 || exitCode === killedStatus, `the documented commands failed: ${stdout.trim()}`);
      return momentary(at);
    };
    await this.dataset.daemon.inject({ ...kill1, inject }, { staysDown: true });
    await this.scenario.watchFor(downMs);
    await this.scenario.faults.allowRestarts();
  },
);
