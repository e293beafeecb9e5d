import type { CheckRecord } from '../../reports/record.ts';
import { concluded, fail, pass } from '../checks/finding.ts';
import { dataset, type Manifest, secret } from './manifests.ts';
import type { Trial } from './trial.ts';

/** One way in which the document's dataset.yaml is changed for the worse. */
export interface Flaw {
  readonly kind: 'Dataset' | 'JindoRuntime';
  /** Where, as segments: `['spec', 'mounts', '0', 'options', 'fs.oss.endpoint']`. */
  readonly path: readonly string[];
  /** Instead of what stands there; undefined takes it away. */
  readonly value: unknown;
}

/** `spec / mounts / 0 / options / fs.oss.endpoint` and a value as JSON or plain text; `(missing)` takes the field away. */
export function parseFlaw({ kind = '', field = '', value = '' }: Readonly<Record<string, string>>): Flaw {
  if (kind !== 'Dataset' && kind !== 'JindoRuntime') throw new Error(`a flaw of a ${kind} is not known`);
  return { kind, path: field.split(' / '), value: value === '(missing)' ? undefined : jsonOrText(value) };
}

/** The field's name as the refusal has to say it: `spec.mounts[0].options.fs.oss.endpoint`. */
export function nameOfField(path: readonly string[]): string {
  return path
    .map((segment, index) => (/^\d+$/.test(segment) ? `[${segment}]` : `${index > 0 ? '.' : ''}${segment}`))
    .join('');
}

/** Creates a dataset for each flaw, and says whether each was refused with the name of the field. */
export async function refusedByName(
  trial: Trial,
  { flaws, claim }: { readonly flaws: readonly Flaw[]; readonly claim: string },
): Promise<CheckRecord> {
  const { store } = trial.session.cluster;
  const title = { name: 'what the document does not have is refused with the name of the field', claims: [claim] };
  await trial.objects.create(secret(store));
  for (const [index, flaw] of flaws.entries()) {
    const name = `flawed-${index}`;
    for (const manifest of dataset({ name, store, directory: name }))
      await trial.objects.create(manifest.kind === flaw.kind ? spoil(manifest, flaw) : manifest);
  }
  const field = ({ path }: Flaw) => nameOfField(path);
  for (const [index, flaw] of flaws.entries()) {
    const name = `flawed-${index}`;
    const { message } = await trial.poll({
      what: `the dataset with ${field(flaw)} ${JSON.stringify(flaw.value) ?? '(missing)'} is refused`,
      look: () => trial.objects.datasetStatus(name),
      until: ({ phase }) => phase === 'Failed' || phase === 'Bound',
      say: ({ phase, message }) => `phase ${phase || '(none)'} ${message}`,
    });
    if (!message.includes(field(flaw)))
      return concluded(
        title,
        fail(`${field(flaw)} ${JSON.stringify(flaw.value) ?? '(missing)'} was answered with: ${message}`),
      );
  }
  return concluded(title, pass(`${flaws.length} refusals, each with the field: ${flaws.map(field).join(', ')}`));
}

/** A copy of the manifest with the flaw in it. */
function spoil(manifest: Manifest, { path, value }: Flaw): Manifest {
  const copy: Manifest = structuredClone(manifest);
  const last = path.at(-1) ?? '';
  const holder = path.slice(0, -1).reduce<unknown>((at, segment) => (isRecord(at) ? at[segment] : undefined), copy);
  if (!isRecord(holder)) throw new Error(`the document's ${manifest.kind} has nothing at ${nameOfField(path)}`);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return copy;
}

/** Arrays too. */
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
