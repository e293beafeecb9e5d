import type { RunRecord } from '../src/timeline/record.ts';
import { reasonOf } from '../src/timeline/verdict.ts';

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
