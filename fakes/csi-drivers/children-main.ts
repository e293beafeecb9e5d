/**
 * A CSI driver whose node plugin runs s3fs or rclone as its children, one for each pod that has a volume, and loses them when it ends.
 * With `--class=none` it never mounts again. With `--class=descriptor` pods see a file system whose descriptor the node plugin keeps, and a
 * process that serves it from s3fs's mount, which is started again when it ends. Further flags: `--nodeid=`, `--endpoint=unix://`, and on a
 * cluster `--registry=`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { requiredFlags } from '../required-flags.ts';
import { CsiRefusal, internal, invalidArgument, registerDriver, serveDriver, type VolumeTexts } from './csi-server.ts';

const name = 'children.csi.rekindle.dev';
const startMs = 20_000;
const pollMs = 20;

/** Compiled in the package. */
const passThrough = fileURLToPath(import.meta.url.replace('children-main', 'pass-through-main'));

interface Child {
  readonly kill: () => void;
  /** Resolves with its last errors. */
  readonly ended: Promise<string>;
}

/** By target path. */
const children = new Map<string, Child>();

async function publish(request: Readonly<Record<string, unknown>>): Promise<object> {
  const { targetPath, volumeContext, secrets, volumeCapability } = request as {
    readonly targetPath: string;
    readonly volumeCapability: { readonly accessMode?: { readonly mode: string } };
    readonly volumeContext: VolumeTexts;
    readonly secrets: VolumeTexts;
  };
  if (children.has(targetPath)) return {};
  const { program = 's3fs', endpoint, bucket, directory } = volumeContext;
  const { accessKeyId, secretAccessKey } = secrets;
  if (!(endpoint && bucket && directory && accessKeyId && secretAccessKey))
    throw new CsiRefusal(
      invalidArgument,
      'endpoint, bucket and directory must be volume attributes, accessKeyId and secretAccessKey in the secret',
    );
  await detachAll(targetPath);
  mkdirSync(targetPath, { recursive: true });
  const readOnly = volumeCapability.accessMode?.mode === 'MULTI_NODE_READER_ONLY' || request.readonly === true;
  const source = keepsDescriptors ? mkdtempSync(join(tmpdir(), 'source-')) : targetPath;
  const child = start(program, {
    endpoint,
    bucket,
    directory,
    accessKeyId,
    secretAccessKey,
    targetPath: source,
    readOnly,
  });
  children.set(targetPath, child);
  let errors: string | undefined;
  void child.ended.then((text) => {
    errors = text;
    children.delete(targetPath);
  });
  for (const deadline = performance.now() + startMs; !isMounted(source); await delay(pollMs)) {
    if (errors !== undefined) throw new CsiRefusal(internal, `${program} ended: ${errors}`);
    if (performance.now() < deadline) continue;
    child.kill();
    throw new CsiRefusal(internal, `${program} has not mounted after ${startMs / 1000} s`);
  }
  if (keepsDescriptors) await serveKept(source, targetPath);
  return {};
}

/** Mounts a connection of FUSE and keeps its descriptor; a process serves it, and the next one when that ends. */
async function serveKept(source: string, targetPath: string): Promise<void> {
  const descriptor = openSync('/dev/fuse', 'r+');
  // execa passes on no descriptor above 9.
  const startWithIt = (program: string, argv: readonly string[]) =>
    spawn(program, argv, { stdio: [descriptor, 'ignore', 'inherit'] });
  const options = 'ro,fd=0,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions';
  const [status] = await once(
    startWithIt('mount', ['-i', '-t', 'fuse.kept', '-o', options, 'kept', targetPath]),
    'exit',
  );
  if (status !== 0) throw new CsiRefusal(internal, `mount ended with status ${status}`);
  void (async () => {
    while (children.has(targetPath)) {
      const server = startWithIt(process.execPath, [passThrough, `--source=${source}`, `--target=${targetPath}`]);
      void children.get(targetPath)?.ended.then(() => server.kill('SIGKILL'));
      await once(server, 'exit');
    }
    closeSync(descriptor);
    await detachAll(source);
  })();
}

async function unpublish(request: Readonly<Record<string, unknown>>): Promise<object> {
  const targetPath = String(request.targetPath);
  children.get(targetPath)?.kill();
  await detachAll(targetPath);
  try {
    rmdirSync(targetPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return {};
}

interface BucketMount {
  readonly endpoint: string;
  readonly bucket: string;
  readonly directory: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly targetPath: string;
  readonly readOnly: boolean;
}

/** The key is in a file that only this user can read, never among the arguments. */
function start(program: string, mount: BucketMount): Child {
  const { endpoint, bucket, directory, accessKeyId, secretAccessKey, targetPath, readOnly } = mount;
  const file = join(mkdtempSync(join(tmpdir(), 'children-')), 'credentials');
  const rclone = ['[store]', 'type = s3', 'provider = Minio', `endpoint = ${endpoint}`];
  const keys = [`access_key_id = ${accessKeyId}`, `secret_access_key = ${secretAccessKey}`];
  const text = program === 'rclone' ? [...rclone, ...keys].join('\n') : `${accessKeyId}:${secretAccessKey}`;
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  const options = `url=${endpoint},use_path_request_style,passwd_file=${file},allow_other,umask=0022,dbglevel=err`;
  // Its cache acknowledges fsync at once, and uploads a file 5 s after it was closed.
  const rcloneAccess = readOnly ? ['--read-only'] : ['--vfs-cache-mode', 'writes'];
  const argv =
    program === 'rclone'
      ? ['--config', file, 'mount', `store:${bucket}/${directory}`, targetPath, '--allow-other', ...rcloneAccess]
      : [`${bucket}:/${directory}`, targetPath, '-f', '-o', `${options}${readOnly ? ',ro' : ''}`];
  const child = execa(program, argv, { stdin: 'ignore', reject: false });
  return {
    kill: () => child.kill('SIGKILL'),
    ended: child.then(({ stderr, shortMessage }) => stderr.slice(-300) || (shortMessage ?? 'it printed no error')),
  };
}

function isMounted(path: string): boolean {
  const table = readFileSync('/proc/self/mountinfo', 'utf8');
  return table.split('\n').some((line) => line.split(' ')[4] === path && line.includes(' - fuse'));
}

/** Detaches what this or a former node plugin has mounted. */
async function detachAll(path: string): Promise<void> {
  while (isMounted(path)) await execa('umount', ['-l', path]);
}

const given = requiredFlags(process.argv.slice(2), ['nodeid', 'endpoint', 'class']);
if (typeof given === 'string') throw new Error(given);
const flags = given;
const keepsDescriptors = flags.class === 'descriptor';
const socket = flags.endpoint.replace('unix://', '');
await serveDriver(
  { name, nodeId: flags.nodeid, node: { NodePublishVolume: publish, NodeUnpublishVolume: unpublish } },
  socket,
);
const [registry] = process.argv.flatMap((argument) => /^--registry=(.+)$/.exec(argument)?.[1] ?? []);
if (registry !== undefined) await registerDriver(name, socket, registry);
process.on('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`);
