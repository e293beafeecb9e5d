import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderHtml } from '../../reports/html.ts';
import { renderJunit } from '../../reports/junit.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import { renderOpenMetrics } from '../../reports/openmetrics.ts';
import type { Run } from '../../reports/record.ts';

const reports: readonly { readonly file: string; readonly render: (run: Run) => string }[] = [
  { file: 'report.html', render: renderHtml },
  { file: 'report.md', render: renderMarkdown },
  { file: 'junit.xml', render: renderJunit },
  { file: 'metrics.prom', render: renderOpenMetrics },
];

/** Writes all reports of a run into a folder that exists, over those of before. Returns their paths. */
export function writeReports(folder: string, run: Run): readonly string[] {
  return reports.map(({ file, render }) => {
    const path = join(folder, file);
    writeFileSync(path, render(run));
    return path;
  });
}
