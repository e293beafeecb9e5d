import { createHash } from 'node:crypto';
import { mkdirSync, rmdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  V1CSIVolumeSource,
  V1PersistentVolume,
  V1PersistentVolumeClaimVolumeSource,
  V1Pod,
} from '@kubernetes/client-node';
import { CsiCallError } from '../../recovery/csi/client.ts';
import { type MountedVolume, namespaceOf, type VolumeContext } from './volumes.ts';

/** The part of the CSI node service that the kubelet calls. Rejects with gRPC errors, or if the driver is unknown. */
export interface CsiNode {
  /**
   * Creates the staging path for the pod of a target path. Does nothing if the driver stages no volumes, and neither does `unstage`.
   * Calls for one volume wait for each other.
   */
  stage(request: VolumeRequest & { readonly targetPath: string }): Promise<void>;
  publish(request: VolumeRequest & { readonly targetPath: string }): Promise<void>;
  unpublish(request: PublishedVolume): Promise<void>;
  /** Does nothing if another pod has the volume, or waits for it. Removes the staging path. */
  unstage(request: Pick<VolumeRequest, 'driver' | 'volumeId' | 'stagingTargetPath'>): Promise<void>;
  /** Calls NodeGetVolumeStats. Resolves with false if the driver has no such capability. */
  readStats(volume: PublishedVolume): Promise<boolean>;
}

interface PublishedVolume {
  readonly driver: string;
  readonly volumeId: string;
  readonly targetPath: string;
}

export interface VolumeRequest {
  readonly driver: string;
  readonly volumeId: string;
  readonly stagingTargetPath: string;
  readonly accessMode: 'MULTI_NODE_READER_ONLY' | 'MULTI_NODE_MULTI_WRITER' | 'SINGLE_NODE_WRITER';
  readonly readOnly: boolean;
  readonly volumeContext: Readonly<Record<string, string>>;
  /** `mountOptions` of the PersistentVolume. */
  readonly mountFlags: readonly string[];
  /** Of `nodeStageSecretRef` for a stage call, and of `nodePublishSecretRef` for a publish call. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** The file by which a kubelet finds driver and handle of a target or staging path again. */
const dataFileName = 'vol_data.json';

/** Stages and publishes the volume of a claim. */
export async function setUpClaim(
  context: VolumeContext,
  name: string,
  { claimName, readOnly }: V1PersistentVolumeClaimVolumeSource,
): Promise<MountedVolume> {
  const { api, csi, paths, pod } = context;
  const claim = await api.readNamespacedPersistentVolumeClaim({ name: claimName, namespace: namespaceOf(pod) });
  const persistentVolume = claim.spec?.volumeName;
  if (!persistentVolume) throw new Error(`claim ${claimName} is not bound`);
  const pv = await api.readPersistentVolume({ name: persistentVolume });
  const source = pv.spec?.csi;
  if (!source) throw new Error(`volume ${persistentVolume} is not of a CSI driver`);
  const { driver, volumeHandle: volumeId, volumeAttributes } = source;
  const stagingTargetPath = paths.staging(driver, volumeId);
  const common = {
    driver,
    volumeId,
    stagingTargetPath,
    accessMode: accessModeOf(pv),
    readOnly: readOnly ?? source.readOnly ?? false,
    mountFlags: pv.spec?.mountOptions ?? [],
  };
  const request: VolumeRequest = {
    ...common,
    volumeContext: { ...volumeAttributes, ...podInformation(pod, 'Persistent') },
    ...(await readSecret(context, source.nodePublishSecretRef)),
  };
  const staged = {
    ...common,
    targetPath: paths.target(context.uid, persistentVolume),
    volumeContext: volumeAttributes ?? {},
    ...(await readSecret(context, source.nodeStageSecretRef)),
  };
  const stage = () => csi.stage(staged);
  await stage();
  const target = { specVolume: persistentVolume, lifecycle: 'Persistent' } as const;
  const { path, publishAgain, release } = await publish(context, request, target);
  let isPublished = true;
  return {
    name,
    path,
    persistentVolume,
    async publishAgain() {
      await stage();
      await publishAgain();
    },
    async release() {
      // An attempt that failed to unstage is repeated, and what has been unpublished is not unpublished again.
      if (isPublished) await release();
      isPublished = false;
      await csi.unstage(request);
    },
  };
}

/** Publishes an inline volume, which is never staged. */
export async function setUpInline(
  context: VolumeContext,
  name: string,
  { driver, readOnly, volumeAttributes, nodePublishSecretRef }: V1CSIVolumeSource,
): Promise<MountedVolume> {
  const { pod, uid } = context;
  const request: VolumeRequest = {
    driver,
    volumeId: `csi-${sha256(`${uid}${name}`)}`,
    stagingTargetPath: '',
    accessMode: 'SINGLE_NODE_WRITER',
    readOnly: readOnly ?? false,
    mountFlags: [],
    volumeContext: { ...volumeAttributes, ...podInformation(pod, 'Ephemeral') },
    ...(await readSecret(context, nodePublishSecretRef)),
  };
  return { name, ...(await publish(context, request, { specVolume: name, lifecycle: 'Ephemeral' })) };
}

interface Target {
  /** Name of the PersistentVolume, or of the volume in the pod's spec if it is inline. */
  readonly specVolume: string;
  readonly lifecycle: 'Persistent' | 'Ephemeral';
}

/**
 * Calls NodePublishVolume as `pkg/volume/csi/csi_mounter.go` does. The kubelet creates the parent of the target path, writes
 * `vol_data.json` there before the call, and removes both after NodeUnpublishVolume or if the call failed for good.
 */
async function publish(
  context: VolumeContext,
  request: VolumeRequest,
  { specVolume, lifecycle }: Target,
): Promise<Pick<MountedVolume, 'path' | 'release'> & { publishAgain(): Promise<void> }> {
  const { csi, nodeName, paths, uid } = context;
  const { driver, volumeId } = request;
  const targetPath = paths.target(uid, specVolume);
  const publishNow = async (): Promise<void> => {
    mkdirSync(dirname(targetPath), { recursive: true, mode: 0o750 });
    writeData(targetPath, {
      attachmentID: `csi-${sha256(`${volumeId}${driver}${nodeName}`)}`,
      driverName: driver,
      nodeName,
      specVolID: specVolume,
      volumeHandle: volumeId,
      volumeLifecycleMode: lifecycle,
    });
    try {
      await csi.publish({ ...request, targetPath });
    } catch (error) {
      if (isFinal(error)) removeQuietly(targetPath);
      throw error;
    }
    if (context.volumeData === 'empty') truncateSync(join(dirname(targetPath), dataFileName));
  };
  await publishNow();
  const published = { driver, volumeId, targetPath };
  const released = new AbortController();
  void readStats(context, published, AbortSignal.any([released.signal, context.stopped]));
  return {
    path: targetPath,
    publishAgain: publishNow,
    async release() {
      released.abort();
      await csi.unpublish(published);
      removeTarget(targetPath);
    },
  };
}

/** How often the kubelet asks for the stats of a volume (`--volume-stats-agg-period`), and the minimum in real milliseconds. */
const statsPeriodMs = 60_000;
const minStatsPeriodMs = 5_000;

/** Asks at once and then periodically, as the kubelet does for its metrics. A failure has no consequence. */
async function readStats(
  { csi, clockScale }: VolumeContext,
  volume: PublishedVolume,
  ended: AbortSignal,
): Promise<void> {
  while (!ended.aborted) {
    if (!(await csi.readStats(volume).catch(() => true))) return;
    const periodMs = Math.max(statsPeriodMs / clockScale, minStatsPeriodMs);
    await delay(periodMs, undefined, { signal: ended, ref: false }).catch(() => {});
  }
}

/** Key by key in alphabetical order and with a line feed, as Go encodes a map. */
export function writeData(path: string, data: Readonly<Record<string, string>>): void {
  writeFileSync(join(dirname(path), dataFileName), `${JSON.stringify(data)}\n`, { mode: 0o644 });
}

/** Removes a target or staging path that is no mount any more, and what the kubelet created for it. */
export function removeTarget(path: string): void {
  for (const remove of [
    () => rmdirSync(path),
    () => unlinkSync(join(dirname(path), dataFileName)),
    () => rmdirSync(dirname(path)),
  ])
    try {
      remove();
    } catch (error) {
      // A driver removes the target path itself, and an earlier attempt may have removed the rest.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
}

/** Statuses after which the kubelet does not know whether the volume was published (`isFinalError`). */
const uncertain: ReadonlySet<string> = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'RESOURCE_EXHAUSTED',
  'ABORTED',
]);

function isFinal(error: unknown): boolean {
  return error instanceof CsiCallError && !uncertain.has(error.status);
}

/** The caller reports why the volume was not published. */
function removeQuietly(targetPath: string): void {
  try {
    removeTarget(targetPath);
  } catch {
    // It is still a mount, which the next attempt finds.
  }
}

/** A secret that a volume refers to; one without a namespace is in the pod's. */
async function readSecret(
  { api, pod }: VolumeContext,
  ref: { readonly name?: string; readonly namespace?: string } | undefined,
): Promise<Pick<VolumeRequest, 'secrets'>> {
  if (ref === undefined) return {};
  const { name = '', namespace = namespaceOf(pod) } = ref;
  const { data = {} } = await api.readNamespacedSecret({ name, namespace });
  const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return { secrets: Object.fromEntries(entries) };
}

/** What a CSIDriver object with `podInfoOnMount` requests. */
function podInformation(pod: V1Pod, lifecycle: Target['lifecycle']): Readonly<Record<string, string>> {
  return {
    'csi.storage.k8s.io/pod.name': pod.metadata?.name ?? '',
    'csi.storage.k8s.io/pod.namespace': namespaceOf(pod),
    'csi.storage.k8s.io/pod.uid': pod.metadata?.uid ?? '',
    'csi.storage.k8s.io/serviceAccount.name': pod.spec?.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(lifecycle === 'Ephemeral'),
  };
}

/** The CSI access mode of a PersistentVolume's first mode, as in `pkg/volume/csi`. */
function accessModeOf(pv: V1PersistentVolume): VolumeRequest['accessMode'] {
  switch (pv.spec?.accessModes?.[0]) {
    case 'ReadOnlyMany':
      return 'MULTI_NODE_READER_ONLY';
    case 'ReadWriteMany':
      return 'MULTI_NODE_MULTI_WRITER';
    default:
      return 'SINGLE_NODE_WRITER';
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
