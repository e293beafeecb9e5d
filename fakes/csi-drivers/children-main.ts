/**
 * A CSI driver whose node plugin runs s3fs or rclone as its children, one for each pod that has a volume, and loses them when it ends.
 * It never mounts again: its class of recovery is `none`. Flags: `--nodeid=`, `--endpoint=unix://`, and on a cluster `--registry=`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { requiredFlags } from '../required-flags.ts';
import { CsiRefusal, internal, invalidArgument, registerDriver, serveDriver, type VolumeTexts } from './csi-server.ts';

const name = 'children.csi.rekindle.dev';
const startMs = 20_000;
const pollMs = 20;

interface Child {
  readonly kill: () => void;
  /** Resolves with its last errors. */
  readonly ended: Promise<string>;
}

/** By target path. */
const children = new Map<string, Child>();

async function publish(request: Readonly<Record<string, unknown>>): Promise<object> {
  const { targetPath, volumeContext, secrets } = request as {
    readonly targetPath: string;
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
  const child = start(program, { endpoint, bucket, directory, accessKeyId, secretAccessKey, targetPath });
  children.set(targetPath, child);
  let errors: string | undefined;
  void child.ended.then((text) => {
    errors = text;
    children.delete(targetPath);
  });
  for (const deadline = performance.now() + startMs; !isMounted(targetPath); await delay(pollMs)) {
    if (errors !== undefined) throw new CsiRefusal(internal, `${program} ended: ${errors}`);
    if (performance.now() < deadline) continue;
    child.kill();
    throw new CsiRefusal(internal, `${program} has not mounted after ${startMs / 1000} s`);
  }
  return {};
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
}

/** The key is in a file that only this user can read, never among the arguments. */
function start(program: string, mount: BucketMount): Child {
  const { endpoint, bucket, directory, accessKeyId, secretAccessKey, targetPath } = mount;
  const file = join(mkdtempSync(join(tmpdir(), 'children-')), 'credentials');
  const rclone = ['[store]', 'type = s3', 'provider = Minio', `endpoint = ${endpoint}`];
  const keys = [`access_key_id = ${accessKeyId}`, `secret_access_key = ${secretAccessKey}`];
  const text = program === 'rclone' ? [...rclone, ...keys].join('\n') : `${accessKeyId}:${secretAccessKey}`;
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  const options = `url=${endpoint},use_path_request_style,passwd_file=${file},allow_other,umask=0022,dbglevel=err`;
  const argv =
    program === 'rclone'
      ? ['--config', file, 'mount', `store:${bucket}/${directory}`, targetPath, '--allow-other', '--read-only']
      : [`${bucket}:/${directory}`, targetPath, '-f', '-o', `${options},ro`];
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

const flags = requiredFlags(process.argv.slice(2), ['nodeid', 'endpoint']);
if (typeof flags === 'string') throw new Error(flags);
const socket = flags.endpoint.replace('unix://', '');
await serveDriver(
  { name, nodeId: flags.nodeid, node: { NodePublishVolume: publish, NodeUnpublishVolume: unpublish } },
  socket,
);
const [registry] = process.argv.flatMap((argument) => /^--registry=(.+)$/.exec(argument)?.[1] ?? []);
if (registry !== undefined) await registerDriver(name, socket, registry);
process.on('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`);
