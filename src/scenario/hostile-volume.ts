import { concluded, fail, pass } from '../checks/finding.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { application, applicationLabel } from './manifests.ts';
import type { Trial } from './trial.ts';

/** Volume attributes that lead nowhere, or out of where FUSE daemons mount, and the words of the refusal. */
export interface HostileVolume {
  /** `fluid_path`; undefined where there is none. */
  readonly path: string | undefined;
  readonly words: string;
}

export function parseHostileVolume({ path = '', words = '' }: Readonly<Record<string, string>>): HostileVolume {
  return { path: path === '(missing)' ? undefined : path, words };
}

/**
 * Makes volumes and claims by hand, and a labelled pod on each; until each pod was refused in those words. They are left to
 * the end of the scenario.
 */
export async function hostileVolumesAreRefused(trial: Trial, volumes: readonly HostileVolume[]): Promise<CheckRecord> {
  const title = { name: 'a volume that leads nowhere is refused, and nothing is mounted for it', claims: [] };
  const names = volumes.map((_, index) => `hostile-${index}`);
  for (const [index, { path }] of volumes.entries()) await create(trial, `hostile-${index}`, path);
  for (const [index, { words }] of volumes.entries()) {
    const object = `Pod ${trial.namespace}/hostile-${index}`;
    await trial.happens(
      `an event of ${object} says ${words}`,
      (event) => event.kind === 'event' && event.object === object && event.message.includes(words),
    );
  }
  const table = await trial.session.cluster.mountTable();
  const mounted = table.filter((line) => names.some((name) => line.includes(`${trial.namespace}-${name}/`)));
  if (mounted.length > 0) return concluded(title, fail(`it is mounted: ${mounted.join('; ')}`));
  return concluded(title, pass(volumes.map(({ path, words }) => `${path ?? '(none)'}: ${words}`).join('; ')));
}

async function create(trial: Trial, name: string, path: string | undefined): Promise<void> {
  const { namespace, objects } = trial;
  const volume = `${namespace}-${name}`;
  const common = { accessModes: ['ReadOnlyMany'], storageClassName: 'fluid' };
  await objects.create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volume },
    spec: {
      ...common,
      capacity: { storage: '1Gi' },
      claimRef: { namespace, name },
      csi: {
        driver: 'fuse.csi.fluid.io',
        volumeHandle: volume,
        volumeAttributes: { mount_type: 'jindo', ...(path !== undefined && { fluid_path: path }) },
      },
    },
  });
  trial.use({ [Symbol.asyncDispose]: () => objects.deleteVolume(volume) });
  await objects.create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { ...common, resources: { requests: { storage: '1Gi' } }, volumeName: volume },
  });
  await objects.create(application({ name, dataset: name, labels: { [applicationLabel]: 'true' } }));
}
