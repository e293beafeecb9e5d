import { posix } from 'node:path';
import { isReadOnly } from '../engine/policy.ts';
import { listAt, objectAt, textAt } from '../kubernetes/json.ts';
import { type DatasetVolume, datasetVolumes, type NewPod, subPathOf } from './dataset-mounts.ts';
import type { Facts } from './facts.ts';
import type { JsonPatch } from './mutate.ts';
import { asksForRecovery, containersOf, entriesAt, injected, labelsOf, recoverPolicy } from './pod.ts';
import { makeSidecar, type Sidecar, sharedDirectory } from './sidecar.ts';

/** What a serverless pod is changed by, or why it cannot be. */
export interface SidecarPlan {
  readonly patch: JsonPatch;
  readonly denied: readonly string[];
  readonly warnings: readonly string[];
}

/** One dataset of a pod, with all of the pod's volumes that are it. */
interface Served {
  readonly index: number;
  readonly volumes: readonly [DatasetVolume, ...DatasetVolume[]];
}

/**
 * A serverless pod has no node plugin beside it: each of its datasets is served by a container of its own, `fluid-fuse-<n>`,
 * which mounts below a directory that it shares with the pod's other containers. The claim's volume becomes that directory.
 */
export function planSidecars(pod: NewPod, facts: Facts): SidecarPlan {
  const served = serve(pod, datasetVolumes(pod, facts));
  if (served.length === 0) return { patch: [], denied: [], warnings: [] };
  const results = served.map((each) => ({ ...each, result: forDataset(pod, facts, each) }));
  const denied = results.flatMap(({ result }) => ('denied' in result ? [result.denied] : []));
  if (denied.length > 0) return { patch: [], denied, warnings: [] };
  const sidecars = results.flatMap(({ volumes, result }) => ('denied' in result ? [] : [{ volumes, ...result }]));
  return {
    patch: patchOf(pod, sidecars),
    denied: [],
    warnings: [...sidecars.flatMap(({ warnings }) => warnings), ...policyWarnings(pod)],
  };
}

function serve({ pod }: NewPod, volumes: readonly DatasetVolume[]): readonly Served[] {
  const taken = new Set(containersOf(pod).map(({ name }) => name));
  const groups = Map.groupBy(volumes, ({ volume }) => volume.name);
  let index = -1;
  return [...groups.values()].flatMap(([first, ...more]) => {
    if (first === undefined) return [];
    do index++;
    while (taken.has(`fluid-fuse-${index}`));
    return [{ index, volumes: [first, ...more] }];
  });
}

interface Made extends Sidecar {
  /** Directory of the shared volume that the application's containers are given. */
  readonly directory: string;
  readonly readOnly: boolean;
  readonly warnings: readonly string[];
}

function forDataset(
  { namespace, pod }: NewPod,
  facts: Facts,
  { index, volumes }: Served,
): Made | { readonly denied: string } {
  const [{ claim, volume, name }] = volumes;
  const [source = ''] = volume.sources;
  const template = facts.daemons.get(`${namespace}/${claim}`);
  if (template === undefined) {
    const denied = `dataset ${claim} has no DaemonSet of FUSE daemons, from which the sidecar of volume "${name}" is made: create the pod once the Dataset is Bound`;
    return { denied };
  }
  const shared = sharedDirectory(template, source);
  if (shared === undefined) {
    const denied = `the FUSE daemons of dataset ${claim} mount no Bidirectional hostPath above ${source}, below which the sidecar of volume "${name}" could mount: remove the pod's label, or mend the DaemonSet`;
    return { denied };
  }
  const early = volumes.flatMap(({ mounts }) => mounts).find(({ container }) => container.kind === 'initContainers');
  if (early !== undefined) {
    const denied = `init container "${early.container.name}" mounts volume "${name}" (dataset ${claim}), which a sidecar serves only once the init containers have ended: mount it in a container`;
    return { denied };
  }
  const readOnly = isReadOnly(volume);
  const asked = asksForRecovery(pod);
  const recover = asked && readOnly && volume.subdirectory === '';
  return {
    ...makeSidecar({ index, template, shared, volume: name, taken: volumeNames(pod), recover, readOnly }),
    directory: posix.join(shared.below, volume.subdirectory),
    readOnly,
    warnings: asked ? notRecovered(volumes[0]) : [],
  };
}

function volumeNames(pod: NewPod['pod']): ReadonlySet<string> {
  return new Set(listAt(objectAt(pod, 'spec'), 'volumes').flatMap((volume) => textAt(volume, 'name') ?? []));
}

/** Why a dataset is not recovered although its pod asks for it. */
function notRecovered({ claim, name, volume }: DatasetVolume): readonly string[] {
  if (!isReadOnly(volume)) {
    const modes = volume.accessModes.join(', ') || 'no access mode';
    return [
      `dataset ${claim} is not read-only (${modes}), so volume "${name}" is not recovered after a crash of its FUSE daemon: set spec.accessModes of the Dataset to ReadOnlyMany alone`,
    ];
  }
  if (volume.subdirectory === '') return [];
  return [
    `volume "${name}" shows directory "${volume.subdirectory}" of dataset ${claim} alone, so it is not recovered after a crash of its FUSE daemon: use a Dataset that mounts that directory`,
  ];
}

function policyWarnings({ pod }: NewPod): readonly string[] {
  if (!asksForRecovery(pod) || textAt(objectAt(pod, 'spec'), 'restartPolicy') !== 'Never') return [];
  return [
    `restartPolicy Never also holds for the FUSE sidecar, so ${recoverPolicy.annotation} has nothing to recover with: set restartPolicy to Always or OnFailure`,
  ];
}

function patchOf({ namespace, pod }: NewPod, sidecars: readonly (Made & Pick<Served, 'volumes'>)[]): JsonPatch {
  const spec = objectAt(pod, 'spec');
  const owners = new Map(
    sidecars.flatMap((sidecar) => sidecar.volumes.map((volume) => [volume.name, { sidecar, volume }])),
  );
  const rewritten = (mount: unknown, at: { readonly container: number; readonly index: number }): unknown => {
    for (const { sidecar, volume } of owners.values()) {
      const found = volume.mounts.find(
        ({ container, index }) => container.index === at.container && index === at.index,
      );
      if (found === undefined) continue;
      const own = subPathOf(found);
      const {
        subPath: _subPath,
        subPathExpr: _subPathExpr,
        recursiveReadOnly: _recursive,
        readOnly,
        ...rest
      } = found.value;
      return {
        ...rest,
        name: sidecar.volumes[0].name,
        mountPropagation: 'HostToContainer',
        [own?.field ?? 'subPath']: own === undefined ? sidecar.directory : `${sidecar.directory}/${own.path}`,
        ...(sidecar.readOnly || volume.readOnly || readOnly === true ? { readOnly: true } : {}),
      };
    }
    return mount;
  };
  const containers = entriesAt(spec, 'containers').map(({ index: container, value }) => {
    const mounts = value.volumeMounts;
    if (!Array.isArray(mounts)) return value;
    return { ...value, volumeMounts: mounts.map((mount: unknown, index) => rewritten(mount, { container, index })) };
  });
  const volumes = entriesAt(spec, 'volumes').flatMap(({ value }) => {
    const owner = owners.get(textAt(value, 'name') ?? '');
    if (owner === undefined) return [value];
    return owner.sidecar.volumes[0].name === value.name ? [{ name: value.name, emptyDir: {} }] : [];
  });
  const labels = Object.fromEntries(
    sidecars.flatMap(({ container, volumes: [{ claim }] }) => [
      [`dataset-name.sidecar.fluid.io/${container.name}`, claim],
      [`dataset-namespace.sidecar.fluid.io/${container.name}`, namespace],
    ]),
  );
  return [
    // Each later one goes in front, so that all of them start before the application.
    {
      op: 'replace',
      path: '/spec/containers',
      value: [...sidecars.map(({ container }) => container).reverse(), ...containers],
    },
    { op: 'replace', path: '/spec/volumes', value: [...volumes, ...sidecars.flatMap((sidecar) => sidecar.podVolumes)] },
    { op: 'add', path: '/metadata/labels', value: { ...labelsOf(pod), [injected.label]: injected.value, ...labels } },
  ];
}
