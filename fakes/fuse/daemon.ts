/**
 * A FUSE daemon that serves a bucket's prefix, as process 1 of a container. It reports what it does on standard output, one JSON object
 * per line: `started`, `held`, `released`, `ready`, `write`, `store`, `hung`, `changed`, `exiting`.
 */
import { accessSync, constants, mkdirSync, readFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { deviceOfDescriptor } from '../../recovery/linux/fuse-descriptor.ts';
import { libc } from '../../recovery/linux/libc.ts';
import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { type Credentials, readCredentials } from '../store/credentials.ts';
import { S3Client, type StoreFailure } from '../store/s3-client.ts';
import type { Behaviour } from './behaviour.ts';
import { BucketTree } from './bucket-tree.ts';
import { detachDead } from './dead-mounts.ts';
import { type EmitEvent, eventLines } from './event-lines.ts';
import { type DaemonFlags, parseFlags } from './flags.ts';
import type { Fuse, FuseOperations } from './fuse-native.ts';
import { KeeperLink, type TakenConnection } from './keeper-link.ts';
import { loadNative, type Native } from './native.ts';
import type { RawFuseOptions } from './raw-fuse.ts';
import { serve } from './serve.ts';
import { attachSidecarMount, createStagingDirectory, parseSidecarSettings, type SidecarSettings } from './sidecar.ts';
import { onSessionEnd, waitWhileHeld, warmUp } from './startup.ts';
import { emptyTree } from './tree.ts';
import { WrittenTree } from './written-tree.ts';

const storeTimeoutMs = 5_000;
const usage = 2;
const fstype = 'jindofs-fuse';
/** Of what daemons leave to their successors. A daemon continues on no connection of another version. */
const settingVersion = 1;

void main(process.argv.slice(2), process.env);

async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const emit = eventLines(1);
  emit('started');
  const parsed = parseFlags(argv);
  if (!parsed.ok) return refuse(usage, parsed.message);
  const { flags } = parsed;
  const behaviour = await parseBehaviourFlag(flags);
  if (typeof behaviour === 'string') return refuse(usage, behaviour);
  const credentials = readCredentials(flags.credentials);
  if (typeof credentials === 'string') return refuse(usage, credentials);
  if (flags.holdFile !== undefined) await waitWhileHeld(flags.holdFile, emit);

  const bucket = behaviour.empty ? undefined : openBucket(flags, credentials, emit);
  // The store answers while the libraries are loaded and the mount is made; nothing waits for it. Each turn of the event loop processes
  // what has arrived and sends the next request.
  void bucket?.prefetch();
  await setImmediate();
  const native = await loadNative();
  await setImmediate();

  const sidecar = parseSidecarSettings(environment);
  const tree = new WrittenTree({
    lower: bucket ?? emptyTree,
    now: Date.now,
    onChange: (change) => emit('write', { ...change }),
  });
  const ignore = () => {};
  await warmUp(serve({ tree, behaviour: () => ({}), emit: ignore, onReady: ignore, crash: ignore }));
  const { keeper: path, mountpoint } = flags;
  const keeper = path === undefined ? undefined : new KeeperLink({ path, mountpoint, emit });
  const taken = await takeOver(keeper);
  if (taken === undefined) {
    const failure = sidecar ? checkDevice() : await prepareMountPoint(flags, native);
    if (failure !== undefined) return refuse(1, failure);
  }
  await mountAndServe({ tree, behaviour, flags, sidecar, native, emit, keeper, taken });
}

/** The connection of an earlier daemon of this kind, if the keeper has one. */
async function takeOver(keeper: KeeperLink | undefined): Promise<TakenConnection | undefined> {
  if (keeper === undefined) return undefined;
  const onTerm = () => endProcess(143);
  process.on('SIGTERM', onTerm);
  const taken = await keeper.ask();
  process.off('SIGTERM', onTerm);
  if (taken === undefined || parseSetting(taken.setting)?.version === settingVersion) return taken;
  keeper.release(taken);
  return undefined;
}

/** Mounts the tree and handles signals until the process ends. */
async function mountAndServe({
  tree,
  behaviour,
  flags: { mountpoint, readOnly },
  sidecar,
  native,
  emit,
  keeper,
  taken,
}: {
  readonly tree: WrittenTree;
  readonly behaviour: Behaviour;
  readonly flags: DaemonFlags;
  readonly sidecar: SidecarSettings | undefined;
  readonly native: Native;
  readonly emit: EmitEvent;
  readonly keeper: KeeperLink | undefined;
  readonly taken: TakenConnection | undefined;
}): Promise<void> {
  const staging = sidecar ? createStagingDirectory(tmpdir()) : mountpoint;
  const exit = (code: number, reason: string, fields: object = {}): never => {
    emit('exiting', { reason, code, ...fields });
    return endProcess(code);
  };
  let current = behaviour;
  if (behaviour.onUsr2)
    process.on('SIGUSR2', () => {
      current = behaviour.onUsr2 ?? behaviour;
      emit('changed');
    });
  const onTerm = (signal: string): void => {
    if (behaviour.onTerm === 'exit' || sidecar?.replace) exit(143, signal);
    const errno = native.detach(mountpoint);
    exit(0, signal, errno === undefined ? { unmounted: true } : { unmounted: false, errno });
  };
  process.on('SIGTERM', onTerm).on('SIGINT', onTerm);

  const becomeReady = async (): Promise<void> => {
    const mount = { staging, mountpoint, native: native.asynchronous };
    const failure = sidecar ? await attachSidecarMount({ ...mount, settings: sidecar }) : undefined;
    if (failure !== undefined) return refuse(1, failure);
    emit('ready', { mountpoint, ...(taken === undefined ? {} : { takenOver: true }) });
    onSessionEnd(() => exit(0, 'the FUSE session ended'));
  };
  const operations = serve({
    tree,
    behaviour: () => current,
    emit,
    onReady: () => void becomeReady(),
    crash: (reason) => exit(1, reason),
  });
  const raw = {
    emit,
    taken: taken?.fd,
    onServing: keeper && ((fd: number) => void keeper.keep(fd, encodeSetting(fd, mountpoint))),
  };
  const needsRaw = behaviour.idmap || behaviour.parallelListing || keeper !== undefined;
  const Fuse = needsRaw ? undefined : native.Fuse;
  const options = { readOnlySuperblock: readOnly, ...behaviour };
  const fuse = await createFuse(staging, operations, options, { ...native, Fuse }, raw);
  fuse.mount((error) => {
    if (error !== null) refuse(1, `${staging} cannot be mounted: ${error.message}`);
  });
}

/** fuse-native, or the raw server without it. */
async function createFuse(
  mountpoint: string,
  operations: FuseOperations,
  { readOnlySuperblock, entryTimeoutSeconds, attributeTimeoutSeconds }: Behaviour,
  { Fuse: FuseNative, mountFuse }: Native,
  raw: Pick<RawFuseOptions, 'emit' | 'taken' | 'onServing'>,
): Promise<Fuse> {
  const options = {
    timeout: false,
    allowOther: true,
    fsname: fstype,
    // fuse-native has no option for it, but passes its options on as one list.
    subtype: readOnlySuperblock ? `${fstype},ro` : fstype,
    ...(entryTimeoutSeconds === undefined ? {} : { entryTimeout: String(entryTimeoutSeconds) }),
    ...(attributeTimeoutSeconds === undefined ? {} : { attrTimeout: String(attributeTimeoutSeconds) }),
  } as const;
  if (FuseNative) return new FuseNative(mountpoint, operations, options);
  const { RawFuse } = await import('./raw-fuse.ts');
  return new RawFuse(mountpoint, operations, {
    ...options,
    subtype: fstype,
    readOnly: readOnlySuperblock,
    mountFuse,
    ...raw,
  });
}

/** What a successor must know of the connection beside the store. Before Linux 6.16 only the daemon can name the device to the keeper. */
function encodeSetting(fd: number, mountpoint: string): string {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const device =
    deviceOfDescriptor(fd) ?? mounts.findLast(({ mountPoint }) => mountPoint === mountpoint)?.device ?? null;
  return JSON.stringify({ version: settingVersion, device });
}

function parseSetting(setting: string): { readonly version?: unknown } | undefined {
  try {
    return JSON.parse(setting);
  } catch {
    return undefined;
  }
}

async function parseBehaviourFlag({ behaviour }: DaemonFlags): Promise<Behaviour | string> {
  if (behaviour === undefined) return {};
  const { parseBehaviour } = await import('./parse-behaviour.ts');
  const parsed = parseBehaviour(behaviour);
  return parsed.ok ? parsed.behaviour : parsed.message;
}

function openBucket({ endpoint, bucket, prefix }: DaemonFlags, credentials: Credentials, emit: EmitEvent): BucketTree {
  let last = 'ok';
  const onStoreResult = (failure: StoreFailure | undefined): void => {
    const state = failure === undefined ? 'ok' : `${failure.errno} ${failure.code}`;
    // There can be hundreds of requests a second, so only changes are reported.
    if (state !== last) emit('store', failure === undefined ? { state: 'ok' } : { state: 'failed', ...failure });
    last = state;
  };
  const source = new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: storeTimeoutMs });
  return new BucketTree({ source, prefix, now: () => performance.now(), onStoreResult });
}

/** Detaches dead mounts and creates the directory. Returns a sentence if that fails. */
async function prepareMountPoint({ mountpoint }: DaemonFlags, { detach }: Native): Promise<string | undefined> {
  try {
    const device = checkDevice();
    if (device !== undefined) return device;
    const detached = await detachDead({ mountpoint, detach });
    if (typeof detached === 'string') return detached;
    mkdirSync(mountpoint, { recursive: true });
    return undefined;
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    return `${path ?? mountpoint} cannot be used (${code})`;
  }
}

function checkDevice(): string | undefined {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `/dev/fuse cannot be used (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Ends without waiting for threads: one may be in a read of /dev/fuse that ends with the process only. */
function endProcess(code: number): never {
  libc._exit(code);
  return process.exit(code);
}

function refuse(code: number, sentence: string): void {
  writeSync(2, `${sentence}\n`);
  process.exit(code);
}
