import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../reports/digest.ts';
import { renderPage } from '../../reports/html.ts';
import { renderJunit } from '../../reports/junit.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { renderOpenMetrics } from '../../reports/openmetrics.ts';
import type { Run, RunRecord } from '../../reports/record.ts';

const reports: readonly { readonly file: string; readonly render: (record: RunRecord, digest: Digest) => string }[] = [
  { file: 'report.html', render: renderPage },
  { file: 'report.md', render: (record) => renderMarkdown({ record }) },
  { file: 'junit.xml', render: (record) => renderJunit({ record }) },
  { file: 'metrics.prom', render: (record) => renderOpenMetrics({ record }) },
];

/** Writes all reports of a run into a folder that exists, over those of before. Returns their paths. */
export function writeReports(folder: string, { record, history }: Run): readonly string[] {
  return writeDigested(folder, record, digestOf(history));
}

/** The same of a history that was digested while it was read. */
export function writeDigested(folder: string, record: RunRecord, digest: Digest): readonly string[] {
  return reports.map(({ file, render }) => {
    const path = join(folder, file);
    writeFileSync(path, render(record, digest));
    return path;
  });
}
