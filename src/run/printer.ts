import type { Colour } from '../colour.ts';
import type { ScenarioRecord, StepRecord } from '../timeline/record.ts';

export interface PrinterOptions {
  readonly write: (text: string) => void;
  readonly paint: Colour;
  /** The command that runs a scenario again as it ran. */
  readonly rerun: (scenario: ScenarioRecord) => string;
}

const marks = { passed: '✔', failed: '✘', skipped: '-', undefined: '?', pending: '?' } as const;
const colours = { passed: 'green', failed: 'red', skipped: 'yellow', undefined: 'red', pending: 'red' } as const;
const verdicts = {
  pass: ['green', 'pass'],
  fail: ['red', 'FAIL'],
  inconclusive: ['yellow', 'inconclusive'],
  skipped: ['yellow', 'skipped'],
} as const;

/** Prints a finished scenario as Gherkin, with its verdict; the name of its feature and rule if it differs from the last one's. */
export function createPrinter({ write, paint, rerun }: PrinterOptions): (scenario: ScenarioRecord) => void {
  let feature = '';
  let rule: string | undefined;
  const step = ({ keyword, text, status, tookNs, error }: StepRecord): void => {
    const took = status === 'passed' ? paint('dim', ` ${Math.round(tookNs / 1e6)} ms`) : '';
    write(`    ${paint(colours[status], marks[status])} ${keyword} ${text}${took}\n`);
    if (error !== undefined) write(`${paint('red', error.replaceAll(/^/gm, '        '))}\n`);
  };
  return (scenario) => {
    if (scenario.feature !== feature) write(`\n${paint('bold', `Feature: ${scenario.feature}`)}\n`);
    if (scenario.rule !== undefined && scenario.rule !== rule) write(`\n  Rule: ${scenario.rule}\n`);
    feature = scenario.feature;
    rule = scenario.rule;
    write(`\n  ${paint('dim', scenario.tags.join(' '))}\n  Scenario: ${scenario.name}\n`);
    for (const each of scenario.steps) step(each);
    const [colour, word] = verdicts[scenario.status];
    write(
      `    ${paint(colour, word)}${scenario.status === 'skipped' && scenario.reason ? `: ${scenario.reason}` : ''}\n`,
    );
    if (scenario.status === 'fail' || scenario.status === 'inconclusive')
      write(`    ${paint('dim', `again: ${rerun(scenario)}`)}\n`);
  };
}
