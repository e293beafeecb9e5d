import { concluded, fail, pass } from '../checks/finding.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { type Flaw, nameOfField, spoil, told } from './flaw.ts';
import { application, dataset, type Manifest } from './manifests.ts';
import type { Trial } from './trial.ts';

/** A claim and a volume as Fluid makes them, which a user could write by hand. */
const byHand: Readonly<Record<string, Manifest>> = {
  PersistentVolumeClaim: {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'flawed' },
    spec: { accessModes: ['ReadOnlyMany'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fluid' },
  },
  PersistentVolume: {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'flawed' },
    spec: {
      accessModes: ['ReadOnlyMany'],
      capacity: { storage: '1Gi' },
      csi: { driver: 'fuse.csi.fluid.io', volumeHandle: 'flawed' },
    },
  },
};

/** Tries to create an object for each flaw; says whether the API server refused each with the field's name. Nothing is left. */
export async function refusedByTheApi(trial: Trial, flaws: readonly Flaw[]): Promise<CheckRecord> {
  const title = { name: 'what Kubernetes does not take is refused with the name of the field', claims: [] };
  for (const flaw of flaws) {
    const answer = await trial.objects.create(spoil(documented(trial, flaw.kind), flaw)).then(() => undefined, bodyOf);
    const field = nameOfField(flaw.path);
    if (spellings(field).some((spelling) => answer?.includes(spelling))) continue;
    return concluded(title, fail(`${flaw.kind} with ${field} ${told(flaw)}: ${answer ?? 'was created'}`));
  }
  const fields = flaws.map(({ kind, path }) => `${kind} ${nameOfField(path)}`);
  return concluded(title, pass(`${flaws.length} refusals, each with the field: ${fields.join(', ')}`));
}

/** Of a subPath Kubernetes does not say in which of the volumeMounts it is. */
const spellings = (field: string): readonly string[] => [field, field.replace(/\[\d+\](?=\.subPath)/, '')];

function documented({ session }: Trial, kind: string): Manifest {
  // Without the label, so that nobody but the API server judges it.
  const pod = application({ name: 'flawed', dataset: 'flawed', labels: {} });
  const { store } = session.cluster;
  const all = [pod, ...dataset({ name: 'flawed', store, directory: 'flawed' }), ...Object.values(byHand)];
  const found = all.find((manifest) => manifest.kind === kind);
  if (!found) throw new Error(`the document has no ${kind}`);
  return found;
}

function bodyOf(error: { readonly body?: unknown; readonly message?: string }): string {
  return typeof error.body === 'string' ? error.body : JSON.stringify(error.body ?? error.message);
}
