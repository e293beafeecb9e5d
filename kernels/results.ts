import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { kernels } from './catalogue.ts';
import { checkNames, checkResult } from './guest.ts';
import { places, untriedSystems } from './places.ts';

const file = new URL('./results.json', import.meta.url);
const placeFile = new URL('./place-results.json', import.meta.url);

const kernelResult = z.strictObject({
  /** Name in the catalogue. */
  kernel: z.string(),
  boots: z.enum(['user-mode', 'emulated']),
  package: z.string(),
  /** `uname -r`. */
  release: z.string(),
  checks: z.array(checkResult.extend({ date: z.string() })),
});

/** What came of the last runs on a kernel. */
export type KernelResult = z.infer<typeof kernelResult>;

export function readKernelResults(): readonly KernelResult[] {
  return z.array(kernelResult).parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function recordResult(result: KernelResult): void {
  writeFileSync(file, `${JSON.stringify(withResult(readKernelResults(), result), undefined, 2)}\n`);
}

/** Replaces what the same checks found on the same kernel; what others found there stays if the package is the same. */
export function withResult(results: readonly KernelResult[], result: KernelResult): readonly KernelResult[] {
  const names: readonly string[] = checkNames;
  const before = results.find(({ kernel }) => kernel === result.kernel);
  const kept = before?.package === result.package ? before.checks : [];
  const checks = [...kept.filter(({ name }) => !result.checks.some((check) => check.name === name)), ...result.checks];
  checks.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  const order = kernels.map(({ name }) => name);
  return [...results.filter((each) => each !== before), { ...result, checks }].sort(
    (a, b) => order.indexOf(a.kernel) - order.indexOf(b.kernel),
  );
}

/** A table of the last results. */
export function kernelResultsAsMarkdown(results: readonly KernelResult[]): string {
  const rows = results.map(({ release, boots, package: name, checks }) => {
    const found = checks.map(
      ({ date, name, outcome, summary }) => `${date}: ${name} ${outcome}: ${summary.replaceAll('|', '/')}`,
    );
    return `| ${release} | ${boots} | ${name} | ${found.join('<br>')} |`;
  });
  return ['| kernel | how | package | result |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const placeResult = z.strictObject({
  /** Name in the list of places. */
  place: z.string(),
  date: z.string(),
  checks: z.array(checkResult),
});

/** What came of the last run in a place. */
export type PlaceResult = z.infer<typeof placeResult>;

export function readPlaces(): readonly PlaceResult[] {
  return z.array(placeResult).parse(JSON.parse(readFileSync(placeFile, 'utf8')));
}

/** Replaces the last result of the same place. */
export function recordPlace(result: PlaceResult): void {
  const others = readPlaces().filter(({ place }) => place !== result.place);
  const order = places.map(({ name }) => name);
  const sorted = [...others, result].sort((a, b) => order.indexOf(a.place) - order.indexOf(b.place));
  writeFileSync(placeFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/** A table of all places and systems, tried or not. */
export function placesAsMarkdown(results: readonly PlaceResult[]): string {
  const rows = places.map(({ name, description }) => {
    const result = results.find(({ place }) => place === name);
    const found = result?.checks.map(
      (check) => `${check.name} ${check.outcome}: ${check.summary.replaceAll('|', '/')}`,
    );
    return `| \`${name}\` | ${description} | ${result?.date ?? ''} | ${found?.join('<br>') ?? 'not tried'} |`;
  });
  const untried = untriedSystems.map((system) => `| | ${system} | | not tried |`);
  return ['| place | what it is | date | result |', '| --- | --- | --- | --- |', ...rows, ...untried].join('\n');
}
