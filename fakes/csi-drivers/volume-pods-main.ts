/**
 * A CSI driver with a pod for each volume, which runs s3fs. Its volumes come from a StorageClass. With `--class=publish` only new pods get
 * what a pod of a volume mounts after its restart; with `--class=propagate` the node plugin mounts it again for running pods, which need
 * `mountPropagation: HostToContainer`; with `--class=automount` s3fs mounts on the next access, for which a second container makes calls
 * wait. Flags: `--nodeid=`, `--endpoint=unix://`, `--mount-root=`, `--class=`; in the sandbox `--kubeconfig=`, and on a cluster `--registry=`
 * and the `--image=` of the pods.
 */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, type V1Container, type V1Pod } from '@kubernetes/client-node';
import { execa } from 'execa';
import { requiredFlags } from '../required-flags.ts';
import { CsiRefusal, internal, invalidArgument, registerDriver, serveDriver, type VolumeTexts } from './csi-server.ts';

const name = 'volume-pods.csi.rekindle.dev';
const namespace = 'volume-pods';
const startMs = 30_000;
const pollMs = 50;
const rebindMs = 500;

const given = requiredFlags(process.argv.slice(2), ['nodeid', 'endpoint', 'mount-root', 'class']);
if (typeof given === 'string') throw new Error(given);
const flags = given;
const optionalFlag = (flag: string) => process.argv.find((argument) => argument.startsWith(flag))?.slice(flag.length);
const kubeConfig = new KubeConfig();
const file = optionalFlag('--kubeconfig=');
if (file === undefined) kubeConfig.loadFromCluster();
else kubeConfig.loadFromFile(file);
const core = kubeConfig.makeApiClient(CoreV1Api);

const sourceOf = (volumeId: string) => join(flags['mount-root'], volumeId);

/** Of s3fs, behind the container that makes calls wait. */
const storeOf = (volumeId: string) => `${sourceOf(volumeId)}-store`;

const detachDead =
  'while grep -q " $TARGET .* - fuse" /proc/self/mountinfo; do umount -l "$TARGET"; done; mkdir -p "$TARGET"';

/** Detaches the dead mount of the process before, and mounts again at the same path of the node. */
const program = `set -eu
while [ -n "$ACCESS" ] && ! [ -e "$ACCESS" ]; do sleep 0.05; done
rm -f "$ACCESS"
${detachDead}
umask 077
printf '%s:%s\\n' "$(cat /etc/key/accessKeyId)" "$(cat /etc/key/secretAccessKey)" >/tmp/passwd
umask 022
exec s3fs "$BUCKET:/$DIRECTORY" "$TARGET" -f -o "url=$ENDPOINT,use_path_request_style,passwd_file=/tmp/passwd,allow_other,umask=0022,dbglevel=err,ro"`;

const waitingProgram = `set -eu
${detachDead}
exec 0<>/dev/fuse
mount -i -t fuse.waiting -o ro,fd=0,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions waiting "$TARGET"
exec "$NODE" "$PASS_THROUGH" "--source=$SOURCE" "--access=$ACCESS"`;
/** Compiled in the package. */
const passThrough = fileURLToPath(import.meta.url.replace('volume-pods-main', 'pass-through-main'));

function podOf(volumeId: string, { bucket = '', directory = '', endpoint = '' }: VolumeTexts): V1Pod {
  const waits = flags.class === 'automount';
  const access = '/access/wanted';
  const target = waits ? storeOf(volumeId) : sourceOf(volumeId);
  const s3fs = {
    TARGET: target,
    BUCKET: bucket,
    DIRECTORY: directory,
    ENDPOINT: endpoint,
    ACCESS: waits ? access : '',
  };
  const waiting = { TARGET: sourceOf(volumeId), SOURCE: target, NODE: process.execPath, PASS_THROUGH: passThrough };
  const root = flags['mount-root'];
  const container = (name: string, script: string, variables: VolumeTexts): V1Container => ({
    name,
    image: optionalFlag('--image=') ?? 'rekindle/s3fs:dev',
    command: ['/bin/sh', '-c', script],
    env: Object.entries(variables).map(([variable, value]) => ({ name: variable, value })),
    securityContext: { privileged: true },
    volumeMounts: [
      { name: 'mounts', mountPath: root, mountPropagation: 'Bidirectional' },
      { name: 'key', mountPath: '/etc/key', readOnly: true },
      { name: 'access', mountPath: dirname(access) },
    ],
  });
  return {
    metadata: { name: volumeId, labels: { volume: volumeId } },
    spec: {
      nodeName: flags.nodeid,
      terminationGracePeriodSeconds: 1,
      containers: [
        container('fuse', program, s3fs),
        ...(waits ? [container('waiting', waitingProgram, { ...waiting, ACCESS: access })] : []),
      ],
      volumes: [
        { name: 'mounts', hostPath: { path: root, type: 'DirectoryOrCreate' } },
        { name: 'key', secret: { secretName: volumeId } },
        { name: 'access', emptyDir: {} },
      ],
    },
  };
}

async function publish(request: Readonly<Record<string, unknown>>): Promise<object> {
  const { volumeId, targetPath, volumeContext, secrets } = request as {
    readonly volumeId: string;
    readonly targetPath: string;
    readonly volumeContext: VolumeTexts;
    readonly secrets: VolumeTexts;
  };
  if (!secrets.accessKeyId)
    throw new CsiRefusal(invalidArgument, 'the secret must have accessKeyId and secretAccessKey');
  if (mountsAt(targetPath) > 0) return {};
  const secret = { metadata: { name: volumeId }, stringData: { ...secrets } };
  await ifMissing(core.createNamespacedSecret({ namespace, body: secret }));
  await ifMissing(core.createNamespacedPod({ namespace, body: podOf(volumeId, volumeContext) }));
  const source = sourceOf(volumeId);
  for (const deadline = performance.now() + startMs; !(await isAlive(source)); await delay(pollMs))
    if (performance.now() > deadline)
      throw new CsiRefusal(internal, `${source} is not mounted after ${startMs / 1000} s`);
  mkdirSync(targetPath, { recursive: true });
  await execa('mount', ['--bind', source, targetPath]);
  return {};
}

async function unpublish(request: Readonly<Record<string, unknown>>): Promise<object> {
  const { volumeId, targetPath } = request as { readonly volumeId: string; readonly targetPath: string };
  while (mountsAt(targetPath) > 0) await execa('umount', ['-l', targetPath]);
  await ignoreMissing(async () => rmdirSync(targetPath));
  if (targets().some((target) => target.includes(`/${volumeId}/`))) return {};
  await ignoreMissing(() => core.deleteNamespacedPod({ namespace, name: volumeId }));
  await ignoreMissing(() => core.deleteNamespacedSecret({ namespace, name: volumeId }));
  for (const path of [sourceOf(volumeId), storeOf(volumeId)]) {
    while (mountsAt(path) > 0) await execa('umount', ['-l', path]);
    await ignoreMissing(async () => rmdirSync(path));
  }
  return {};
}

/** Mounts again on top of the dead mount of each target whose volume is back; pods see it by propagation. */
async function rebind(): Promise<void> {
  for (const target of targets()) {
    const source = sourceOf(target.split('/').at(-2) ?? '');
    if (!(await isAlive(target)) && (await isAlive(source)))
      await execa('mount', ['--no-canonicalize', '--bind', source, target], { reject: false });
  }
}

function mountPoints(): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.filter((line) => line.includes(' - fuse')).map((line) => line.split(' ')[4] ?? '');
}

const mountsAt = (path: string) => mountPoints().filter((mountPoint) => mountPoint === path).length;

const targets = () => [
  ...new Set(mountPoints().filter((path) => /\/kubernetes\.io~csi\/pvc-[^/]+\/mount$/.test(path))),
];

/** Asked by a program, which a hung mount cannot block for longer than its timeout. */
async function isAlive(path: string): Promise<boolean> {
  if (mountsAt(path) === 0) return false;
  return !(await execa('stat', ['-f', path], { reject: false, timeout: 2_000, killSignal: 'SIGKILL' })).failed;
}

async function ifMissing(creation: Promise<unknown>): Promise<void> {
  await creation.catch((error: { readonly code?: number }) => {
    if (error.code !== 409) throw error;
  });
}

async function ignoreMissing(removal: () => Promise<unknown>): Promise<void> {
  try {
    await removal();
  } catch (error) {
    const { code } = error as { readonly code?: number | string };
    if (code !== 404 && code !== 'ENOENT') throw error;
  }
}

function create(request: Readonly<Record<string, unknown>>): object {
  const { name: volumeId, parameters } = request as { readonly name: string; readonly parameters: VolumeTexts };
  const prefix = 'csi.storage.k8s.io/pvc/';
  const directory = `${parameters[`${prefix}namespace`]}/${parameters[`${prefix}name`]}`;
  const { endpoint, bucket } = parameters;
  if (!(endpoint && bucket))
    throw new CsiRefusal(invalidArgument, 'endpoint and bucket must be parameters of the StorageClass');
  return { volume: { volumeId, capacityBytes: 0, volumeContext: { endpoint, bucket, directory } } };
}

await ifMissing(core.createNamespace({ body: { metadata: { name: namespace } } }));
mkdirSync(flags['mount-root'], { recursive: true });
const socket = flags.endpoint.replace('unix://', '');
await serveDriver(
  {
    name,
    nodeId: flags.nodeid,
    node: { NodePublishVolume: publish, NodeUnpublishVolume: unpublish },
    controller: { CreateVolume: create, DeleteVolume: () => ({}) },
  },
  socket,
);
const registry = optionalFlag('--registry=');
if (registry !== undefined) await registerDriver(name, socket, registry);
process.on('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`);
while (flags.class === 'propagate') {
  await rebind();
  await delay(rebindMs);
}
