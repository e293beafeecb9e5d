import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { kernels } from './catalogue.ts';
import { checkResult } from './guest.ts';

const file = new URL('./results.json', import.meta.url);

const kernelResult = z.strictObject({
  /** Name in the catalogue. */
  kernel: z.string(),
  boots: z.enum(['user-mode', 'emulated']),
  package: z.string(),
  /** `uname -r`. */
  release: z.string(),
  date: z.string(),
  checks: z.array(checkResult),
});

/** What came of the last run on a kernel. */
export type KernelResult = z.infer<typeof kernelResult>;

export function readKernelResults(): readonly KernelResult[] {
  return z.array(kernelResult).parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Replaces the last result of the same kernel. */
export function recordResult(result: KernelResult): void {
  const others = readKernelResults().filter(({ kernel }) => kernel !== result.kernel);
  const order = kernels.map(({ name }) => name);
  const sorted = [...others, result].sort((a, b) => order.indexOf(a.kernel) - order.indexOf(b.kernel));
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

/** A table of the last results. */
export function kernelResultsAsMarkdown(results: readonly KernelResult[]): string {
  const rows = results.map(({ release, boots, package: name, date, checks }) => {
    const found = checks.map(({ name, outcome, summary }) => `${name} ${outcome}: ${summary.replaceAll('|', '/')}`);
    return `| ${release} | ${boots} | ${name} | ${date} | ${found.join('<br>')} |`;
  });
  return ['| kernel | how | package | date | result |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}
