import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { renderPage } from '../../reports/html.ts';
import { renderJunit } from '../../reports/junit.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { renderOpenMetrics } from '../../reports/openmetrics.ts';
import { renderPicture, slowestRecovery } from '../../reports/picture.ts';
import type { Digest } from '../timeline/digest.ts';
import type { RunRecord } from '../timeline/record.ts';

const picture = 'slowest-recovery.svg';

interface Written {
  readonly record: RunRecord;
  readonly digest: Digest;
  /** The folder as readers of the reports know it. */
  readonly folder: string;
}

const reports: readonly { readonly file: string; readonly render: (written: Written) => string | Promise<string> }[] = [
  { file: 'report.html', render: ({ record, digest }) => renderPage(record, digest) },
  { file: 'report.md', render: ({ record }) => renderMarkdown({ record }, { picture }) },
  { file: 'junit.xml', render: junitWithAttachments },
  { file: 'metrics.prom', render: ({ record }) => renderOpenMetrics({ record }) },
];

export interface DigestedRun {
  readonly record: RunRecord;
  readonly digest: Digest;
  /** Attachments below it are named relative to it. */
  readonly cwd: string;
}

/** Writes the record and all reports of a run into an existing folder, and replaces earlier ones. */
export async function writeRun(folder: string, run: DigestedRun): Promise<void> {
  writeFileSync(join(folder, 'record.json'), `${JSON.stringify(run.record, null, 1)}\n`);
  await writeReports(folder, run);
}

/** Writes all reports of a run into an existing folder and replaces earlier ones. Returns their paths. */
export function writeReports(folder: string, { record, digest, cwd }: DigestedRun): Promise<readonly string[]> {
  const seen = relative(cwd, folder);
  const written = { record, digest, folder: seen.startsWith('..') || isAbsolute(seen) ? folder : seen };
  writePictures(folder, record);
  return Promise.all(
    reports.map(async ({ file, render }) => {
      const path = join(folder, file);
      writeFileSync(path, await render(written));
      return path;
    }),
  );
}

/** The slowest recovery of the run, and of each scenario that did not pass. */
function writePictures(folder: string, { scenarios }: RunRecord): void {
  const slowest = slowestRecovery(scenarios);
  if (slowest) writeFileSync(join(folder, picture), renderPicture(slowest));
  for (const scenario of scenarios) {
    const own = pictureOf(scenario);
    const recovery = slowestRecovery([scenario]);
    if (own === undefined || recovery === undefined) continue;
    mkdirSync(join(folder, 'pictures'), { recursive: true });
    writeFileSync(join(folder, own), renderPicture(recovery));
  }
}

function pictureOf(scenario: RunRecord['scenarios'][number]): string | undefined {
  const shown = scenario.status === 'fail' || scenario.status === 'inconclusive';
  return shown && slowestRecovery([scenario]) ? `pictures/${scenario.id.replace(/[^\w.-]+/g, '-')}.svg` : undefined;
}

/** Attaches its picture and the whole report to each scenario that did not pass. */
function junitWithAttachments({ record, folder }: Written): string {
  return renderJunit({ record }, (scenario) => {
    if (scenario.status !== 'fail' && scenario.status !== 'inconclusive') return [];
    return [pictureOf(scenario) ?? [], 'report.html'].flat().map((file) => join(folder, file));
  });
}
