import { appendFileSync } from 'node:fs';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Environment } from '../environment.ts';
import type { RunRecord } from '../timeline/record.ts';
import { reasonOf } from '../timeline/verdict.ts';

/** GitHub's limit for the summary of one step. */
const summaryBytes = 1024 * 1024;

/**
 * Reports to GitHub Actions, if it runs this: appends a summary to the file that `GITHUB_STEP_SUMMARY` names, and prints an
 * annotation for each scenario that failed or is inconclusive.
 */
export function reportToCi(
  record: RunRecord,
  { env, stdout, stderr }: Pick<Environment, 'env' | 'stdout' | 'stderr'>,
): void {
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: actions } = env;
  if (summary) {
    try {
      appendFileSync(summary, cutTo(summaryBytes, `${renderMarkdown({ record })}\n`));
    } catch (error) {
      stderr.write(`rekindle: no step summary: ${error instanceof Error ? error.message : error}\n`);
    }
  }
  if (actions === 'true') for (const line of renderAnnotations(record)) stdout.write(`${line}\n`);
}

/** Keeps as many whole lines of a text as fit, and notes where the rest is. */
function cutTo(bytes: number, text: string): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const cut = Buffer.from(text)
    .subarray(0, bytes - 100)
    .toString();
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\nThe rest is in report.md.\n`;
}

/**
 * Renders failures as GitHub Actions workflow commands, one line each, shown at the scenario's line in the feature file.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
export function renderAnnotations({ scenarios, checks = [] }: Pick<RunRecord, 'scenarios' | 'checks'>): string[] {
  const whole = checks
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ name, says }) => `::error title=${property(`The run as a whole: ${name}`)}::${data(says)}`);
  const own = scenarios
    .filter(({ status }) => status === 'fail' || status === 'inconclusive')
    .map((scenario) => {
      const { status, uri, line, claims, name } = scenario;
      const location = uri === '' ? '' : `file=${property(uri)},line=${line},`;
      const title = [...claims, name].join(' ');
      return `::${status === 'fail' ? 'error' : 'warning'} ${location}title=${property(title)}::${data(reasonOf(scenario))}`;
    });
  return [...whole, ...own];
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
