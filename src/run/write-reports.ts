import { mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { renderPage } from '../../reports/html.ts';
import { renderJunit } from '../../reports/junit.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { renderOpenMetrics } from '../../reports/openmetrics.ts';
import { renderPicture, slowestRecovery } from '../../reports/picture.ts';
import { type Digest, digestOf } from '../timeline/digest.ts';
import type { Run, RunRecord } from '../timeline/record.ts';

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

/**
 * Writes all reports of a run into an existing folder and replaces earlier ones. Returns their paths.
 * @param cwd Attachments below it are named relative to it.
 */
export function writeReports(folder: string, { record, history }: Run, cwd?: string): Promise<readonly string[]> {
  return writeDigested({ folder, record, digest: digestOf(history), ...(cwd === undefined ? {} : { cwd }) });
}

export interface DigestedRun {
  readonly folder: string;
  readonly record: RunRecord;
  readonly digest: Digest;
  readonly cwd?: string;
}

/** Writes the reports of a run whose history was digested while it was read. */
export function writeDigested({ folder, record, digest, cwd }: DigestedRun): Promise<readonly string[]> {
  const seen = cwd === undefined ? folder : relative(cwd, folder);
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
