import type { LiveSource, Mount, MountSite, Nanoseconds } from '../engine/model.ts';
import { isFuse, MountTree } from '../engine/mount-tree.ts';
import type { ClockPort, VolumeLocks } from '../engine/ports.ts';
import type { PublishArguments } from './arguments.ts';
import { awaitLiveSource, said, sourceMount } from './live-source.ts';
import type { Empty } from './messages.ts';
import type { CsiKernel, Publisher } from './publisher.ts';
import { type Answer, answered, type Refusal, refused } from './status.ts';

export interface PublishParts {
  readonly kernel: CsiKernel;
  readonly publisher: Publisher;
  readonly locks: VolumeLocks;
  readonly clock: ClockPort;
}

export interface PublishWait {
  readonly until: Nanoseconds;
  readonly signal: AbortSignal;
}

/** While the engine recovers the volume that just came back, its lock is held for milliseconds. */
const lockAgain = 10_000_000n as Nanoseconds;

/**
 * Binds the volume on its target path once its source is live (CSI NodePublishVolume). Waits without the lock and mounts
 * with it. A volume that was live at once but is locked answers ABORTED; one that was waited for is tried until the deadline.
 */
export async function publishVolume(
  parts: PublishParts,
  asked: PublishArguments,
  { until, signal }: PublishWait,
): Promise<Answer<Empty>> {
  const { kernel, locks, clock } = parts;
  const began = clock.now();
  for (;;) {
    const source = await awaitLiveSource({ kernel, clock, source: asked.source, until, signal });
    if (!source.ok) return refused(source.code, `NodePublishVolume: ${source.message}`);
    if (signal.aborted) return refused('CANCELLED', 'NodePublishVolume: the caller no longer waits');
    using lock = locks.tryAcquire(asked.volumeId);
    const placed = lock === undefined ? 'locked' : place(parts, asked, source.value);
    if (typeof placed !== 'string') return placed;
    const now = clock.now();
    const waited = now - began > 2n * lockAgain;
    if (placed === 'locked' && (!waited || now >= until)) return busy('NodePublishVolume', asked.volumeId);
    if (now >= until) {
      return refused(
        'UNAVAILABLE',
        `NodePublishVolume: the mount at ${source.value.path} is being replaced again and again`,
      );
    }
    await new Promise<void>((resolve) => void clock.after(lockAgain, resolve));
  }
}

/** ABORTED, as the specification asks where another operation on the volume is under way. */
export function busy(call: string, volumeId: string): Refusal {
  return refused('ABORTED', `${call}: another operation on volume ${volumeId} is under way`);
}

/** Without a pause between the look at the table and the mount: nothing here waits for a daemon. */
function place(parts: PublishParts, asked: PublishArguments, source: LiveSource): Answer<Empty> | 'source-changed' {
  const { kernel, publisher } = parts;
  const { target, readOnly } = asked;
  const table = kernel.hostMounts();
  if (!table.ok) return refused('INTERNAL', `NodePublishVolume: cannot read the mount table: ${said(table.failure)}`);
  if (sourceMount(table.value, source.path)?.device !== source.device) return 'source-changed';
  const stack = new MountTree(table.value).at(target).stack;
  const top = stack.at(-1);
  if (top !== undefined && !isFuse(top)) {
    return refused('ALREADY_EXISTS', `NodePublishVolume: a filesystem of type ${top.fstype} is mounted at ${target}`);
  }
  if (top !== undefined && shows(top, source)) return compatible(top, asked);
  const done =
    top === undefined
      ? publisher.publish({ source: `${source.path}${suffix(asked)}`, target, readOnly })
      : replace(kernel, { table: table.value, stack, asked, source });
  if (!done.ok && done.failure.errno === 'ESTALE') return 'source-changed';
  if (!done.ok) {
    const { step } = done.failure;
    return refused('INTERNAL', `NodePublishVolume: cannot mount ${target} (${step}): ${said(done.failure)}`);
  }
  const after = kernel.hostMounts();
  const shown = after.ok ? new MountTree(after.value).top(target) : undefined;
  if (shown !== undefined && shows(shown, source)) return answered({});
  // What was bound is not what was read: the source went away in between, and its empty directory must not be shown.
  publisher.unpublish(target);
  return 'source-changed';
}

const suffix = ({ source }: PublishArguments) => (source.subdirectory === '' ? '' : `/${source.subdirectory}`);

const shows = (mount: Mount, source: LiveSource) => mount.device === source.device && mount.root === source.root;

function compatible(mount: Mount, { target, readOnly }: PublishArguments): Answer<Empty> {
  if (mount.options.includes('ro') === readOnly) return answered({});
  const is = readOnly ? 'read-write' : 'read-only';
  return refused('ALREADY_EXISTS', `NodePublishVolume: the volume is already published ${is} at ${target}`);
}

function replace(
  kernel: CsiKernel,
  {
    table,
    stack,
    asked,
    source,
  }: {
    readonly table: readonly Mount[];
    readonly stack: readonly Mount[];
    readonly asked: PublishArguments;
    readonly source: LiveSource;
  },
) {
  const top = stack.at(-1);
  const below = top === undefined ? [] : new MountTree(table).descendants(top);
  const isBelow = new Set(below.map(({ id }) => id));
  const [result] = kernel.replaceAll([
    {
      kind: stack.some((mount) => shows(mount, source)) ? 'finish' : 'replace',
      site: targetSite(asked.target),
      stack,
      below,
      source,
      readOnly: asked.readOnly,
      elsewhere: table.filter(
        ({ id, device, root }) =>
          !isBelow.has(id) && below.some((mount) => mount.device === device && mount.root === root),
      ),
    },
  ]);
  if (result === undefined) throw new Error('replaceAll gave no outcome for a replacement');
  return result;
}

/** A target path as a mount site; the pod's uid stands in the path that the kubelet makes. */
export function targetSite(path: string): Extract<MountSite, { kind: 'target' }> {
  return { kind: 'target', podUid: /\/pods\/([^/]+)\/volumes\//.exec(path)?.[1] ?? '', path };
}
