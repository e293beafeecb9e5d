import type { Colour } from '../colour.ts';
import { parseProbeName } from '../timeline/consumer.ts';
import { type Description, describe } from '../timeline/describe.ts';
import type { HistoryEvent, ScenarioRecord, StepRecord } from '../timeline/record.ts';

export interface NarratorOptions {
  readonly write: (line: string) => void;
  /** CLOCK_MONOTONIC nanoseconds of the crash; undefined before it. */
  readonly crashedAt: () => number | undefined;
}

/** A line waits so long for others that are older: what pod, node and agent report arrives by different ways. */
const holdMs = 250;

export interface Narrator {
  (event: HistoryEvent): void;
  /** Prints all that still waits. */
  flush(): void;
}

/**
 * Prints a crash as it happens: what the pod sees, what the node sees and what the agent does, one line per change, in the order of time and
 * timed from the crash. A probe gets a line if its result changes, not for each operation.
 */
export function createNarrator({ write, crashedAt }: NarratorOptions): Narrator {
  const lastResults = new Map<string, string>();
  let held: { readonly at: number; readonly arrived: number; readonly description: Description }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const tell = (arrivedBefore: number): void => {
    clearTimeout(timer);
    timer = undefined;
    const until = Math.max(...held.filter(({ arrived }) => arrived <= arrivedBefore).map(({ at }) => at));
    const due = held.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
    held = held.filter(({ at }) => at > until);
    const crash = crashedAt();
    for (const { at, description } of due) {
      const time = crash === undefined ? '' : formatSinceCrash(at - crash);
      write(`${time.padStart(12)}  ${description.actor.padEnd(8)} ${description.text}`);
    }
    if (held.length > 0) wait();
  };
  const wait = () => {
    timer ??= setTimeout(() => tell(performance.now() - holdMs), holdMs);
  };
  const print = (at: number, description: Description): void => {
    held.push({ at, arrived: performance.now(), description });
    wait();
  };
  const narrate = (event: HistoryEvent): void => {
    if (event.kind === 'probe') {
      const { probe, op, result, finishedAt } = event;
      const before = lastResults.get(probe);
      // A successful list or stat between failed reads proves little; a successful read ends the outage.
      if (before === result || (result === 'ok' && op !== 'read')) return;
      lastResults.set(probe, result);
      print(finishedAt, result === 'ok' ? describeGoodRead(probe, before) : describe(event));
    } else if (event.kind === 'output') print(event.at, { actor: 'output', text: clip(event.text) });
    else if (isWorthALine(event)) print(event.at, describe(event));
  };
  return Object.assign(narrate, { flush: () => tell(Number.POSITIVE_INFINITY) });
}

const describeGoodRead = (probe: string, before: string | undefined): Description => ({
  actor: 'pod',
  text: before === undefined ? `reads ${parseProbeName(probe).path}` : 'reads again',
});

/** A program may print lines of any length. */
const clip = (text: string) => (text.length > 100 ? `${text.slice(0, 99)}…` : text);

function isWorthALine(event: Exclude<HistoryEvent, { kind: 'probe' | 'output' }>): boolean {
  switch (event.kind) {
    case 'process':
      return event.role === 'daemon' || (event.role === 'agent' && event.change === 'exited');
    case 'mount':
      return event.fstype.startsWith('fuse');
    case 'agent':
      return event.event !== 'passed';
    case 'kubelet':
      return event.event === 'restart-scheduled';
    case 'snapshot':
    case 'note':
      return false;
    default:
      return true;
  }
}

function formatSinceCrash(nanoseconds: number): string {
  return `${nanoseconds < 0 ? '-' : '+'}${(Math.abs(nanoseconds) / 1e6).toFixed(1)} ms`;
}

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
