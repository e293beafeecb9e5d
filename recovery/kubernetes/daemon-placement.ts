import type { Empty } from '../csi/messages.ts';
import type { DaemonPlacement } from '../csi/node.ts';
import { type CsiResult, rejected, succeeded } from '../csi/status.ts';
import { driverName, type Mount } from '../engine/model.ts';
import { MountTree } from '../engine/mount-sites.ts';
import type { Result } from '../engine/ports.ts';
import { formatError } from '../log.ts';
import { listAt, objectAt, textAt, texts, type UncheckedObject } from './json.ts';
import { ApiError, type Transport } from './transport.ts';

export interface NodeLabelOptions {
  readonly nodeName: string;
  /** With the credentials of the agent. */
  readonly transport: Pick<Transport, 'json'>;
  /** With credentials that may patch the node. Throws if there are none. */
  readonly nodeTransport: () => Pick<Transport, 'json'>;
  readonly hostMounts: () => Result<readonly Mount[]>;
}

/** The prefix of the labels that FUSE DaemonSets select nodes by (Fluid `pkg/utils/label.go`). */
const labelPrefix = 'fluid.io/f-';
/** From this length on Fluid names the dataset by its UID. */
const maxLabelLength = 63;

/** Kinds of runtimes, as a Dataset's status names them; the plural of each resource ends in `runtimes`. */
export const runtimeTypes = ['alluxio', 'efc', 'goosefs', 'jindo', 'juicefs', 'thin', 'vineyard'] as const;

/**
 * Places FUSE daemons as Fluid's node plugin does (`pkg/csi/plugins/nodeserver.go`): by a label of the node, which the node selector of
 * the dataset's DaemonSet requires. Volumes that name neither the label nor a runtime have daemons of another kind, and need none.
 */
export function placeByNodeLabel(options: NodeLabelOptions): DaemonPlacement {
  const { nodeName, transport, nodeTransport, hostMounts } = options;
  const busy = new Set<string>();

  /** One change of a volume at a time, as the later one must win. */
  async function alone(
    call: string,
    volumeId: string,
    run: () => Promise<CsiResult<Empty>>,
  ): Promise<CsiResult<Empty>> {
    if (busy.has(volumeId)) return rejected('ABORTED', `${call}: another one of volume ${volumeId} is in progress`);
    busy.add(volumeId);
    try {
      return await run();
    } finally {
      busy.delete(volumeId);
    }
  }

  async function patchLabel(call: string, label: string, value: 'true' | null, signal: AbortSignal) {
    try {
      await nodeTransport().json({
        method: 'PATCH',
        path: `/api/v1/nodes/${encodeURIComponent(nodeName)}`,
        body: {
          contentType: 'application/strategic-merge-patch+json',
          value: { metadata: { labels: { [label]: value } } },
        },
        signal,
      });
      return succeeded({});
    } catch (error) {
      const isDenied = error instanceof ApiError && [401, 403].includes(error.status);
      const advice = isDenied ? ': deploy with --kubelet-kube-config or --patch-nodes' : '';
      const purpose =
        value === null ? 'by which its FUSE daemon runs here' : 'without which no FUSE daemon starts here';
      return rejected(
        'UNAVAILABLE',
        `${call}: cannot patch the label ${label} of the node, ${purpose}: ${formatError(error)}${advice}`,
      );
    }
  }

  /** An object of the API server, undefined if there is none. */
  async function read(path: string, signal: AbortSignal): Promise<UncheckedObject | undefined> {
    try {
      return objectAt(await transport.json({ method: 'GET', path, signal }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async function cleanPolicy(volume: UncheckedObject, signal: AbortSignal): Promise<string | undefined> {
    const { namespace, name } = texts(objectAt(volume, 'spec', 'claimRef'));
    if (namespace === undefined || name === undefined) return undefined;
    const path = (resource: string) => `/apis/data.fluid.io/v1alpha1/namespaces/${namespace}/${resource}/${name}`;
    const dataset = await read(path('datasets'), signal);
    const type = runtimeTypes.find((each) => each === listAt(objectAt(dataset, 'status'), 'runtimes')[0]?.type);
    const runtime = type && (await read(path(`${type}runtimes`), signal));
    return textAt(objectAt(runtime, 'spec', 'fuse'), 'cleanPolicy');
  }

  return {
    request({ volumeId, volumeContext }, signal) {
      const call = 'NodeStageVolume';
      return alone(call, volumeId, async () => {
        const label = labelFor(volumeContext);
        if (label === undefined) return succeeded({});
        if (!isPlacementLabel(label))
          return rejected(
            'INVALID_ARGUMENT',
            `${call}: mount_pod_node_selector_key "${label}" is no label ${labelPrefix}*`,
          );
        return patchLabel(call, label, 'true', signal);
      });
    },
    withdraw(volumeId, signal) {
      const call = 'NodeUnstageVolume';
      return alone(call, volumeId, async () => {
        try {
          const volume = await read(`/api/v1/persistentvolumes/${encodeURIComponent(volumeId)}`, signal);
          const { driver, volumeHandle } = texts(objectAt(volume, 'spec', 'csi'));
          const attributes = texts(objectAt(volume, 'spec', 'csi', 'volumeAttributes'));
          const label = labelFor(attributes);
          const isOurs = driver === driverName && volumeHandle === volumeId;
          if (volume === undefined || !isOurs || label === undefined || !isPlacementLabel(label)) return succeeded({});
          if ((await cleanPolicy(volume, signal)) !== 'OnDemand') return succeeded({});
          const table = hostMounts();
          if (!table.ok)
            return rejected('UNAVAILABLE', `${call}: cannot read the node's mount table: ${table.failure.errno}`);
          if (isPublished(table.value, volumeId, attributes.fluid_path))
            return rejected('FAILED_PRECONDITION', `${call}: volume ${volumeId} is still published on this node`);
          return await patchLabel(call, label, null, signal);
        } catch (error) {
          return rejected(
            'UNAVAILABLE',
            `${call}: cannot read whether the FUSE daemon must continue: ${formatError(error)}`,
          );
        }
      });
    },
  };
}

/** Older versions of Fluid write no attribute with the label. */
function labelFor(attributes: Readonly<Record<string, string>>): string | undefined {
  const { mount_pod_node_selector_key: key, runtime_namespace: namespace, runtime_name: name } = attributes;
  if (key) return key;
  const label = namespace && name ? `${labelPrefix}${namespace}-${name}` : undefined;
  return label !== undefined && label.length < maxLabelLength ? label : undefined;
}

/** With the kubelet's credentials any label can be set, but a volume may only place its daemon. */
const isPlacementLabel = (label: string): boolean => label.startsWith(labelPrefix) && /^[\w.-]+\/[\w.-]+$/.test(label);

/** Whether a pod has the volume, or another volume of the same daemon. */
function isPublished(table: readonly Mount[], volumeId: string, source: string | undefined): boolean {
  const device = source === undefined ? undefined : MountTree.of(table).top(source)?.device;
  return table.some((mount) => {
    const volume = /\/pods\/[^/]+\/volumes\/kubernetes\.io~csi\/([^/]+)\/mount$/.exec(mount.mountPoint)?.[1];
    return volume === volumeId || (volume !== undefined && mount.device === device);
  });
}
