/**
 * A FUSE daemon that serves a bucket's prefix, as process 1 of a container. What it does is told on standard output, one
 * JSON object a line: `started`, `ready`, `write`, `store`, `hung`, `exiting`.
 */
import { accessSync, constants, mkdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { Credentials } from '../store/credentials.ts';
import { readCredentials } from '../store/credentials.ts';
import { S3Client, type StoreFailure } from '../store/s3-client.ts';
import type { Behaviour } from './behaviour.ts';
import { BucketTree } from './bucket-tree.ts';
import { detachDead } from './dead-mounts.ts';
import { emptyTree } from './empty-tree.ts';
import { type EmitEvent, eventLines } from './event-lines.ts';
import { type DaemonFlags, parseFlags } from './flags.ts';
import { released } from './hold-file.ts';
import { loadNative, type Native } from './native.ts';
import { rehearse } from './rehearse.ts';
import { serve } from './serve.ts';
import { onSessionEnd } from './session-end.ts';
import { attachSidecarMount, sidecarSetting, stagingDirectory } from './sidecar.ts';
import { WrittenTree } from './written-tree.ts';

const storeTimeoutMs = 5_000;
const usage = 2;
const fstype = 'jindofs-fuse';

void main(process.argv.slice(2), process.env);

async function main(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const emit = eventLines(1);
  emit('started');
  const parsed = parseFlags(argv);
  if (!parsed.ok) return refuse(usage, parsed.message);
  const { flags } = parsed;
  const behaviour = await behaviourOf(flags);
  if (typeof behaviour === 'string') return refuse(usage, behaviour);
  const credentials = readCredentials(flags.credentials);
  if (typeof credentials === 'string') return refuse(usage, credentials);

  if (flags.holdFile !== undefined) await released(flags.holdFile, emit);
  const bucket = behaviour.empty ? undefined : openBucket(flags, credentials, emit);
  // Asked now, so that the store answers while the libraries are loaded and the mount is made. Each turn of the event loop
  // lets what has come be read and the next thing be asked; nothing here waits for the store.
  void bucket?.warm();
  await setImmediate();
  const native = await loadNative();
  await setImmediate();
  const sidecar = sidecarSetting(environment);
  const trouble = sidecar ? checkDevice() : await prepare(flags, native);
  if (trouble !== undefined) return refuse(1, trouble);
  const { mountpoint } = flags;
  const staging = sidecar ? stagingDirectory(tmpdir()) : mountpoint;
  const exit = (code: number, reason: string, more: object = {}): never => {
    emit('exiting', { reason, code, ...more });
    process.exit(code);
  };
  const tree = new WrittenTree({
    lower: bucket ?? emptyTree,
    now: Date.now,
    record: (change) => emit('write', { ...change }),
  });
  let current = behaviour;
  if (behaviour.onUsr2)
    process.on('SIGUSR2', () => {
      current = behaviour.onUsr2 ?? behaviour;
      emit('changed');
    });
  const becomeReady = async (): Promise<void> => {
    const attach = { staging, mountpoint, native: native.aside };
    const trouble = sidecar ? await attachSidecarMount({ ...attach, setting: sidecar }) : undefined;
    if (trouble !== undefined) return refuse(1, trouble);
    emit('ready', { mountpoint });
    onSessionEnd(() => exit(0, 'the FUSE session ended'));
  };
  const operations = serve({
    tree,
    behaviour: () => current,
    emit,
    onReady: () => void becomeReady(),
    crash: (reason) => exit(1, reason),
  });
  const onTerm = (signal: string): void => {
    if (behaviour.onTerm === 'exit' || sidecar?.replace) exit(143, signal);
    const errno = native.detach(mountpoint);
    exit(0, signal, errno === undefined ? { unmounted: true } : { unmounted: false, errno });
  };
  const unheard = () => {};
  await rehearse(serve({ tree, behaviour: () => ({}), emit: unheard, onReady: unheard, crash: unheard }));
  process.on('SIGTERM', onTerm).on('SIGINT', onTerm);
  const options = fuseOptions({ readOnlySuperblock: flags.readOnly, ...behaviour });
  const fuse = behaviour.idmap
    ? new (await import('./raw-fuse.ts')).RawFuse(staging, operations, { ...options, mountFuse: native.mountFuse })
    : new native.Fuse(staging, operations, options);
  fuse.mount((error) => {
    if (error !== null) refuse(1, `${staging} cannot be mounted: ${error.message}`);
  });
}

async function behaviourOf({ behaviour }: DaemonFlags): Promise<Behaviour | string> {
  if (behaviour === undefined) return {};
  const { parseBehaviour } = await import('./parse-behaviour.ts');
  const parsed = parseBehaviour(behaviour);
  return parsed.ok ? parsed.behaviour : parsed.message;
}

function openBucket({ endpoint, bucket, prefix }: DaemonFlags, credentials: Credentials, emit: EmitEvent): BucketTree {
  let last = 'ok';
  const onStore = (failure: StoreFailure | undefined): void => {
    const state = failure === undefined ? 'ok' : `${failure.errno} ${failure.code}`;
    // A store that is down is asked hundreds of times a second: only what changes is told.
    if (state !== last) emit('store', failure === undefined ? { state: 'ok' } : { state: 'failed', ...failure });
    last = state;
  };
  const source = new S3Client({ address: { endpoint, bucket }, credentials, timeoutMs: storeTimeoutMs });
  return new BucketTree({ source, prefix, now: () => performance.now(), onStore });
}

/** Makes the mount point ready; a sentence where that cannot be. */
async function prepare({ mountpoint }: DaemonFlags, { detach }: Native): Promise<string | undefined> {
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

function fuseOptions({ entryTimeoutSeconds, attributeTimeoutSeconds, readOnlySuperblock }: Behaviour) {
  return {
    timeout: false,
    allowOther: true,
    fsname: fstype,
    // fuse-native knows no option for it, and hands all on as one list.
    subtype: readOnlySuperblock ? `${fstype},ro` : fstype,
    ...(entryTimeoutSeconds === undefined ? {} : { entryTimeout: String(entryTimeoutSeconds) }),
    ...(attributeTimeoutSeconds === undefined ? {} : { attrTimeout: String(attributeTimeoutSeconds) }),
  } as const;
}

function refuse(code: number, sentence: string): void {
  writeSync(2, `${sentence}\n`);
  process.exit(code);
}
