import { concluded, fail, pass } from '../checks/finding.ts';
import type { CheckRecord } from '../timeline/record.ts';
import { type Flaw, nameOfField, spoil, told } from './flaw.ts';
import { dataset, type Manifest, secret } from './manifests.ts';
import type { Trial } from './trial.ts';

/** Creates a dataset for each flaw, and says whether each was refused with the name of the field. */
export async function refusedByName(
  trial: Trial,
  { flaws, claim }: { readonly flaws: readonly Flaw[]; readonly claim: string },
): Promise<CheckRecord> {
  const { store } = trial.session.cluster;
  const title = { name: 'what the document does not have is refused with the name of the field', claims: [claim] };
  await trial.objects.create(secret(store));
  /** What the API server itself did not take, by the definition of the kind. */
  const atOnce = new Map<string, string>();
  for (const [index, flaw] of flaws.entries()) {
    const name = `flawed-${index}`;
    for (const manifest of dataset({ name, store, directory: name })) {
      const refusal = await createOr(trial, manifest.kind === flaw.kind ? spoil(manifest, flaw) : manifest);
      if (refusal !== undefined) atOnce.set(name, refusal);
    }
  }
  const field = ({ path }: Flaw) => nameOfField(path);
  for (const [index, flaw] of flaws.entries()) {
    const name = `flawed-${index}`;
    const refusal = atOnce.get(name);
    const { message } =
      refusal !== undefined
        ? { message: refusal }
        : await trial.poll({
            what: `the dataset with ${field(flaw)} ${told(flaw)} is refused`,
            look: () => trial.objects.datasetStatus(name),
            until: ({ phase }) => phase === 'Failed' || phase === 'Bound',
            say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
          });
    if (!message.includes(field(flaw)))
      return concluded(title, fail(`${field(flaw)} ${told(flaw)} was answered with: ${message}`));
  }
  return concluded(title, pass(`${flaws.length} refusals, each with the field: ${flaws.map(field).join(', ')}`));
}

/** The API server's words where it refuses; other troubles are thrown. */
async function createOr(trial: Trial, manifest: Manifest): Promise<string | undefined> {
  return trial.objects.create(manifest).then(
    () => undefined,
    (error: { readonly code?: number; readonly body?: unknown }) => {
      if (error.code !== 422) throw error;
      return String(error.body);
    },
  );
}
