import type { Finding } from './finding.ts';
import type { DatasetKey } from './naming.ts';
import { madeHere, volumeName } from './naming.ts';
import type { DatasetFacts } from './validate-dataset.ts';
import { validateDataset } from './validate-dataset.ts';
import type { RuntimeFacts } from './validate-runtime.ts';
import { validateRuntime } from './validate-runtime.ts';
import type { View } from './view.ts';

/** What becomes of a dataset: refused with the fields that are wrong, waiting for its runtime, or wanted. */
export type Judgement =
  | { readonly state: 'refused'; readonly dataset: readonly Finding[]; readonly runtime: readonly Finding[] }
  | { readonly state: 'without-runtime' }
  | { readonly state: 'wanted'; readonly facts: DatasetFacts & RuntimeFacts };

/** A volume of that name that belongs to somebody else: names of volumes are not injective, and not ours alone. */
function collision({ key, volume }: View): readonly Finding[] {
  if (!volume || belongsTo(volume, key)) return [];
  const { namespace, name } = volume.spec?.claimRef ?? {};
  const owner = namespace === undefined ? 'is not a dataset' : `belongs to the claim ${namespace}/${name}`;
  return [
    {
      field: 'metadata.name',
      message: `the PersistentVolume ${volumeName(key)} is there and ${owner}: rename this dataset, or its namespace`,
    },
  ];
}

/** Whether a volume was made here for that dataset. */
export function belongsTo(volume: NonNullable<View['volume']>, { namespace, name }: DatasetKey): boolean {
  const claim = volume.spec?.claimRef;
  const ours = volume.metadata?.labels?.[madeHere.label] === madeHere.value;
  return ours && claim?.namespace === namespace && claim?.name === name;
}

/** Judges a dataset that is there, with its runtime where there is one. */
export function judge(view: View & { readonly dataset: NonNullable<View['dataset']> }): Judgement {
  const facts = validateDataset(view.dataset, view.secrets);
  const runtime = view.runtime ? validateRuntime(view.runtime) : undefined;
  const ofDataset = [...(facts.ok ? [] : facts.findings), ...collision(view)];
  const ofRuntime = runtime && !runtime.ok ? runtime.findings : [];
  if (!facts.ok || ofDataset.length + ofRuntime.length > 0) {
    return { state: 'refused', dataset: ofDataset, runtime: ofRuntime };
  }
  if (!runtime?.ok) return { state: 'without-runtime' };
  return { state: 'wanted', facts: { ...facts.value, ...runtime.value } };
}
