import { type KnownDevices, requestedMount, volumeEvidence } from '../engine/identity.ts';
import type { DeviceId, Failure, LiveSource, Mount, MountSite, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree, standbyPaths } from '../engine/mount-sites.ts';
import type { ClockPort, KernelPort, VolumeLocks } from '../engine/ports.ts';
import { admitStandbys } from '../engine/standby.ts';
import type { Publisher } from '../linux/publish.ts';
import type { PublishArguments } from './arguments.ts';
import { awaitLiveSource, formatFailure, sourceMount } from './live-source.ts';
import type { Empty, NodeUnpublishRequest } from './messages.ts';
import { type CsiRejection, type CsiResult, rejected, succeeded } from './status.ts';

/** The kernel operations that the CSI services need. */
export type CsiKernel = Pick<KernelPort, 'tier' | 'hostMounts' | 'ask' | 'watchMounts' | 'replaceAll'>;

export interface PublishParts {
  readonly kernel: CsiKernel;
  readonly publisher: Publisher;
  readonly locks: VolumeLocks;
  readonly clock: ClockPort;
  /** Feature gate `FuseStandby`. */
  readonly standby: boolean;
  /** Receives the devices of the volume that a target path showed before a publish has replaced them, which containers may still show. */
  readonly onReplaced: (volume: string, devices: KnownDevices) => void;
}

/** How long to wait before the volume's lock is tried again. The engine holds it for milliseconds during a recovery. */
const lockRetryDelay = 10_000_000n as Nanoseconds;
/** How long to wait before a path whose look-up continues is tried again. */
const lookUpDelay = 20_000_000n as Nanoseconds;

/**
 * Binds the volume on its target path once its source is live (CSI NodePublishVolume). Waits without the lock and mounts
 * with it. Rejects with ABORTED if the volume was live at once but is locked; after a wait the lock is retried until the deadline.
 */
export async function publishVolume(
  parts: PublishParts,
  request: PublishArguments,
  { until, signal }: { readonly until: Nanoseconds; readonly signal: AbortSignal },
): Promise<CsiResult<Empty>> {
  const { kernel, locks, clock } = parts;
  const startedAt = clock.now();
  for (;;) {
    const paths = parts.standby ? (table: readonly Mount[]) => sourcePaths(parts, request, table) : undefined;
    const wait = { kernel, clock, source: request.source, until, signal };
    const source = await awaitLiveSource({ ...wait, ...(paths === undefined ? {} : { paths }) });
    if (!source.ok) return rejected(source.code, `NodePublishVolume: ${source.message}`);
    if (signal.aborted) return rejected('CANCELLED', 'NodePublishVolume: the caller has hung up');
    using lock = locks.tryAcquire(request.volumeId);
    const result = lock === undefined ? 'locked' : mountTarget(parts, request, source.value);
    if (typeof result !== 'string') return result;
    const now = clock.now();
    const hasWaited = now - startedAt > 2n * lockRetryDelay;
    if (result === 'locked' && (!hasWaited || now >= until)) return volumeIsBusy('NodePublishVolume', request.volumeId);
    if (now >= until) {
      return rejected('UNAVAILABLE', `NodePublishVolume: the mount at ${source.value.path} was replaced repeatedly`);
    }
    await new Promise<void>((resolve) => void clock.after(lockRetryDelay, resolve));
  }
}

/**
 * The source mounts of a volume, the active one first: that which its target paths show. Then the ordinary one, and standbys that have
 * the same origin.
 */
function sourcePaths(
  { kernel }: Pick<PublishParts, 'kernel'>,
  { source: { path }, target, isReadOnlyVolume }: PublishArguments,
  table: readonly Mount[],
): readonly string[] {
  const candidates = standbyPaths(table).get(path) ?? [];
  if (candidates.length === 0) return [path];
  const tree = MountTree.of(table);
  const suffix = target.replace(/^.*\/pods\/[^/]+/, '');
  const targets = new Set(table.flatMap(({ mountPoint }) => (mountPoint.endsWith(suffix) ? [mountPoint] : [])));
  const published = [...targets].flatMap((each) => tree.top(each) ?? []);
  const evidence = volumeEvidence({ certain: [...tree.at(path).stack, ...published] });
  const facts = { tree, tier: kernel.tier, isReadOnly: isReadOnlyVolume, evidence, foreign: new Set<DeviceId>() };
  const all = [path, ...admitStandbys(candidates, facts).paths];
  const shown = new Set(published.map(({ device }) => device));
  const isActive = (each: string) => shown.has(tree.top(each)?.device ?? ('' as DeviceId));
  return [...all.filter(isActive), ...all.filter((each) => !isActive(each))];
}

/** Rejects with ABORTED, as the specification requires during another operation on the volume. */
function volumeIsBusy(call: string, volumeId: string): CsiRejection {
  return rejected('ABORTED', `${call}: another operation on volume ${volumeId} is in progress`);
}

/** Synchronous, so that nothing runs between reading the mount table and mounting. Nothing here waits for a daemon. */
function mountTarget(
  { kernel, publisher, onReplaced }: PublishParts,
  request: PublishArguments,
  source: LiveSource,
): CsiResult<Empty> | 'source-changed' {
  const { target, readOnly } = request;
  const fail = (message: string) => rejected('INTERNAL', `NodePublishVolume: ${message}`);
  const table = kernel.hostMounts();
  if (!table.ok) return fail(`cannot read the mount table: ${formatFailure(table.failure)}`);
  const mountOfSource = sourceMount(table.value, source.path);
  if (mountOfSource?.device !== source.device) return 'source-changed';
  const { stack } = MountTree.of(table.value).at(target);
  const top = stack.at(-1);
  if (top !== undefined && isMountOf(top, source)) return checkAccess(top, mountOfSource, request);
  if (top !== undefined && !(isFuse(top) && isFuse(mountOfSource))) {
    return rejected('ALREADY_EXISTS', `NodePublishVolume: a filesystem of type ${top.fstype} is mounted at ${target}`);
  }
  const { subdirectory } = request.source;
  const mounted =
    top === undefined
      ? publisher.publish({ source: `${source.path}${subdirectory && `/${subdirectory}`}`, target, readOnly })
      : replaceMounts(kernel, { table: table.value, stack, top, request, source });
  if (!mounted.ok && ['ESTALE', 'EINPROGRESS'].includes(mounted.failure.errno)) return 'source-changed';
  if (!mounted.ok && subdirectory !== '' && isMissingDirectory(mounted.failure)) {
    const message = `"${subdirectory}" is not a directory of the volume mounted at ${source.path}`;
    return rejected('NOT_FOUND', `NodePublishVolume: ${message}`);
  }
  if (!mounted.ok) {
    return fail(`cannot mount ${target} (${mounted.failure.step}): ${formatFailure(mounted.failure)}`);
  }
  const [bottom, ...above] = stack;
  if (bottom !== undefined) {
    const [, name = ''] = /\/kubernetes\.io~csi\/([^/]+)\/mount$/.exec(target) ?? [];
    onReplaced(name, volumeEvidence({ certain: [mountOfSource, bottom], onNode: above }).devices);
  }
  const after = kernel.hostMounts();
  const topAfter = after.ok ? MountTree.of(after.value).top(target) : undefined;
  if (topAfter !== undefined && isMountOf(topAfter, source)) return succeeded({});
  // The source has gone since it was read, so the target may show the empty directory below it.
  publisher.unpublish(target);
  return 'source-changed';
}

const isMissingDirectory = ({ step, errno }: Failure) =>
  step === 'clone-source' && ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errno);

const isMountOf = (mount: Mount, source: LiveSource) => mount.device === source.device && mount.root === source.root;

/** A mount of a read-only source is read-only, whatever was requested: the kubelet asks again after its restart. */
function checkAccess(mount: Mount, source: Mount, { target, readOnly }: PublishArguments): CsiResult<Empty> {
  const isReadOnly = (each: Mount) => each.options.includes('ro');
  if (isReadOnly(mount) === (readOnly || isReadOnly(source))) return succeeded({});
  const access = readOnly ? 'read-write' : 'read-only';
  return rejected('ALREADY_EXISTS', `NodePublishVolume: the volume is already published ${access} at ${target}`);
}

function replaceMounts(
  kernel: CsiKernel,
  {
    table,
    stack,
    top,
    request,
    source,
  }: {
    readonly table: readonly Mount[];
    readonly stack: readonly Mount[];
    readonly top: Mount;
    readonly request: PublishArguments;
    readonly source: LiveSource;
  },
) {
  const below = MountTree.of(table).descendants(top);
  const isBelow = new Set(below.map(({ id }) => id));
  const [result] = kernel.replaceAll([
    {
      kind: stack.some((mount) => isMountOf(mount, source)) ? 'finish' : 'replace',
      site: targetSite(request.target),
      stack,
      below,
      source,
      remove: requestedMount(top),
      readOnly: request.readOnly,
      elsewhere: table.filter(
        ({ id, device, root }) =>
          !isBelow.has(id) && below.some((mount) => mount.device === device && mount.root === root),
      ),
    },
  ]);
  if (result === undefined) throw new Error('replaceAll returned no result for a replacement');
  return result;
}

/** The mount site of a target path. The kubelet puts the pod's uid into the path. */
export function targetSite(path: string): Extract<MountSite, { kind: 'target' }> {
  return { kind: 'target', podUid: /\/pods\/([^/]+)\/volumes\//.exec(path)?.[1] ?? '', path };
}

/**
 * Unmounts all layers at the target path and removes the directory (CSI NodeUnpublishVolume). Idempotent. The directory is
 * removed only once the mount table shows no mount there, and only if it is empty. Waits while the path is being looked up.
 */
export async function unpublishVolume(
  parts: Pick<PublishParts, 'kernel' | 'publisher' | 'locks' | 'clock'>,
  request: NodeUnpublishRequest,
  { until, signal }: { readonly until: Nanoseconds; readonly signal: AbortSignal },
): Promise<CsiResult<Empty>> {
  const { clock } = parts;
  for (;;) {
    const result = unpublishOnce(parts, request);
    if (result !== 'looking-up') return result;
    if (signal.aborted || clock.now() >= until) return volumeIsBusy('NodeUnpublishVolume', request.volumeId);
    await new Promise<void>((resolve) => clock.after(lookUpDelay, resolve));
  }
}

function unpublishOnce(
  { kernel, publisher, locks }: Pick<PublishParts, 'kernel' | 'publisher' | 'locks'>,
  { volumeId, targetPath }: NodeUnpublishRequest,
): CsiResult<Empty> | 'looking-up' {
  const fail = (message: string) => rejected('INTERNAL', `NodeUnpublishVolume: ${message}`);
  using lock = locks.tryAcquire(volumeId);
  if (lock === undefined) return volumeIsBusy('NodeUnpublishVolume', volumeId);
  const detached = publisher.unpublish(targetPath);
  if (!detached.ok && detached.failure.errno === 'EINPROGRESS') return 'looking-up';
  if (!detached.ok) return fail(`cannot unmount ${targetPath}: ${formatFailure(detached.failure)}`);
  const table = kernel.hostMounts();
  if (!table.ok) return fail(`cannot read the mount table: ${formatFailure(table.failure)}`);
  const remaining = MountTree.of(table.value).at(targetPath).stack.length;
  if (remaining > 0) return fail(`${remaining} mounts remain at ${targetPath}`);
  const removed = publisher.removeTarget(targetPath);
  return removed.ok ? succeeded({}) : fail(`cannot remove ${targetPath}: ${formatFailure(removed.failure)}`);
}
