import type { RunningCluster, Terminal } from '../../clusters/cluster.ts';
import { now, over } from '../faults/fault.ts';
import { kill1 } from '../faults/kill-1.ts';
import type { Trial } from './trial.ts';

export type { Terminal };

/** The document's files as they stand, with bucket, endpoint, keys and image filled in. */
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

/** Somebody who follows the document, until the end of the scenario. */
export async function sitDown(trial: Trial): Promise<Terminal> {
  const terminal = await trial.session.cluster.openTerminal(trial.namespace);
  trial.use(terminal);
  return terminal;
}

/** Steps 2 and 3: Secret, Dataset, JindoRuntime and pod. What the commands printed. */
export async function createAll(trial: Trial, terminal: Terminal): Promise<string> {
  const { store } = trial.session.cluster;
  terminal.write('secret.yaml', secretYaml(store));
  terminal.write('dataset.yaml', datasetYaml(store, await trial.fillDataset('demo-dataset')));
  terminal.write('app.yaml', appYaml);
  const create = (file: string) => typed(terminal, `kubectl create -f ${file}`);
  const printed = [await create('secret.yaml'), await create('dataset.yaml')];
  // Who types the next command takes longer than this.
  await trial.poll({
    what: 'Dataset demo-dataset is Bound',
    look: () => trial.objects.datasetStatus('demo-dataset'),
    until: ({ phase }) => phase === 'Bound',
    say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
  });
  printed.push(await create('app.yaml'));
  await trial.observe('demo-app', 'demo-dataset');
  return printed.join('');
}

/** What `kubectl get pod` prints of it, without its age. */
export async function getPod(terminal: Terminal): Promise<readonly string[]> {
  const lines = (await typed(terminal, 'kubectl get pod demo-app')).trimEnd().split('\n');
  return lines.map((line) => line.trim().split(/\s+/).slice(0, 4).join(' '));
}

/** The document's loop, in a terminal of its own beside the other one. */
export async function startDocumentedLoop(trial: Trial, terminal: Terminal): Promise<void> {
  trial.use(await terminal.start(loop, 'loop in demo-app'));
  await trial.happens('the loop lists the files', (event) => event.kind === 'output' && event.text.includes('myfile'));
}

/** Finds the FUSE pod on the pod's node and runs `kill 1` in it; the daemon is back after so many milliseconds. */
export async function crashAsDocumented(trial: Trial, terminal: Terminal, awayMs: number): Promise<void> {
  const inject = async () => {
    const at = now();
    const { stdout, exitCode } = await terminal.run(crash);
    // The shell is taken along by the end of process 1.
    if (exitCode !== 0 && exitCode !== killed) throw new Error(`the documented commands failed: ${stdout.trim()}`);
    return over(at);
  };
  await trial.crash({ ...kill1, inject }, 'demo-dataset', { stays: true });
  await trial.watchFor(awayMs);
  await trial.bringDaemonBack();
}

const killed = 137;

async function typed(terminal: Terminal, line: string): Promise<string> {
  const { stdout, exitCode } = await terminal.run(line);
  if (exitCode !== 0) throw new Error(`status ${exitCode} of ${line}: ${stdout.trim() || '(said nothing)'}`);
  return stdout;
}
