import type { Action, Failure, Mount, NodeView, Skip } from './model.ts';
import { isReadOnly } from './policy.ts';
import type { KernelPort, Replaced, Replacement, Result, VolumeLocks } from './ports.ts';

export interface Applied {
  readonly action: Action;
  readonly outcome: Result<Replaced>;
}

/**
 * Applies the actions of one volume in one batch, under the volume's lock and without a pause: CSI publish and unpublish of it
 * never run in between. Undefined where another holds the lock; nothing has been done then.
 */
export function apply(
  { kernel, locks }: { readonly kernel: Pick<KernelPort, 'replaceAll'>; readonly locks: VolumeLocks },
  view: NodeView,
  actions: readonly Action[],
): readonly Applied[] | undefined {
  const handle = actions[0]?.diagnosis.volume.handle;
  if (handle === undefined) return [];
  using lock = locks.tryAcquire(handle);
  if (lock === undefined) return undefined;
  const outcomes = kernel.replaceAll(actions.map((action) => replacement(view, action)));
  return actions.map((action, at) => {
    const { path } = action.diagnosis.site;
    const failure = { errno: 'ENOSYS', call: 'replaceAll', path, step: 'no-outcome' };
    return { action, outcome: outcomes[at] ?? { ok: false, failure } };
  });
}

function replacement(view: NodeView, { kind, diagnosis, source }: Action): Replacement {
  const { site, stack, below, volume, volumeMount } = diagnosis;
  // What was read-only stays so, whoever made it so: the PersistentVolume, the pod's volumeMount, or the mount itself.
  const readOnly =
    isReadOnly(volume) || volumeMount?.readOnly === true || (stack.at(-1)?.options.includes('ro') ?? false);
  return { kind, site, stack, below, source, readOnly, elsewhere: elsewhere(view.mounts, below) };
}

function elsewhere(mounts: readonly Mount[], below: readonly Mount[]): readonly Mount[] {
  if (below.length === 0) return [];
  return mounts.filter(
    (mount) =>
      !below.includes(mount) && below.some((inner) => inner.device === mount.device && holds(mount.root, inner.root)),
  );
}

/** Whether a directory of a filesystem is another one or lies above it. */
function holds(root: string, directory: string): boolean {
  return root === '/' || root === directory || directory.startsWith(`${root}/`);
}

/** What the kernel cannot do is a refusal with a remedy, not a failure: trying again would not help. */
export function impossible({ diagnosis, source }: Action, failure: Failure): Skip | undefined {
  const { site, volume } = diagnosis;
  const skip = (reason: Skip['reason'], detail: string): Skip => ({ kind: 'skip', diagnosis, reason, detail });
  const { step, errno } = failure;
  if (step === 'clone-source' && source.root !== '/' && (errno === 'ENOENT' || errno === 'ENOTDIR')) {
    return skip(
      'subdirectory-missing',
      `${source.root} is no longer in volume ${volume.name}, so nothing can be shown at ${site.path}: make the directory again`,
    );
  }
  if (step.includes('idmap') && (errno === 'EINVAL' || errno === 'EPERM' || errno === 'ENOSYS')) {
    return skip(
      'idmap-unsupported',
      `the FUSE daemon of volume ${volume.name} does not support idmapped mounts, which ${site.path} needs: run the pod with hostUsers: true`,
    );
  }
  if (step.includes('inner')) {
    const inner = diagnosis.below.map(({ mountPoint }) => mountPoint).join(', ');
    return skip(
      'inner-mount-unreachable',
      `${inner} below ${site.path} cannot be reached any more and would be lost (${failure.call}: ${errno}): start the pod again`,
    );
  }
  return undefined;
}
