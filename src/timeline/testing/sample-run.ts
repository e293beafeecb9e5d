import type { HistoryEvent, Run, RunRecord, ScenarioRecord, StepRecord } from '../record.ts';
import { recordSchema } from '../record.ts';
import { Timeline } from '../timeline.ts';
import recordedPlots from './plots.json' with { type: 'json' };
import { type Plot, type StoryInput, story } from './sample-story.ts';

const ms = 1e6;

/** Ten scenarios: one fails, one is inconclusive, two are skipped. */
export const plots = recordedPlots as readonly Plot[];

/** A made-up run for tests, screenshots and measurements: the same input gives the same run, byte for byte. */

export interface SampleOptions {
  /** Probe operations a second. */
  readonly rate?: number;
  /** Probe operations of each scenario. */
  readonly operations?: number;
  /** How often the built-in scenarios are repeated, under other ids. */
  readonly rounds?: number;
}

/** A whole run: ten scenarios, of which one fails, one is inconclusive and two are skipped. */
export function sampleRun({ rate = 200, operations = 1400, rounds = 1 }: SampleOptions = {}): Run {
  const history: HistoryEvent[] = [];
  const scenarios: ScenarioRecord[] = [];
  let clock = 900 * ms;
  for (let round = 0; round < rounds; round++) {
    for (const plot of plots) {
      const id = round === 0 ? plot.id : `${plot.id}-${round + 1}`;
      const { scenario, events } = sampleScenario({ plot, id, from: clock, rate, operations });
      for (const event of events) history.push(event);
      scenarios.push(scenario);
      clock = scenario.finishedAt + 120 * ms;
    }
  }
  return { record: sampleRecord(scenarios, clock), history };
}

/** One scenario and its history. */
export function sampleScenario(input: StoryInput): {
  readonly scenario: ScenarioRecord;
  readonly events: readonly HistoryEvent[];
} {
  const { plot, id, from, rate, operations } = input;
  const events = plot.fault ? story(input) : [];
  const tookNs = plot.fault ? (operations / rate) * 1e9 + 400 * ms : plot.status === 'skipped' ? 0 : 310 * ms;
  return { scenario: scenarioOf({ plot, id, from, tookNs, events }), events };
}

/** The record of scenarios that lasted until `clock`. */
export function sampleRecord(scenarios: readonly ScenarioRecord[], clock: number): RunRecord {
  return {
    schema: recordSchema,
    runId: '7f3a9c',
    rekindle: '0.1.0',
    startedAt: '2026-03-02T09:14:05.120Z',
    finishedAt: new Date(Date.parse('2026-03-02T09:14:05.120Z') + clock / ms).toISOString(),
    command: ['rekindle', 'conform', '--cluster', 'sandbox'],
    seed: 424242,
    profile: 'rekindle',
    cluster: 'sandbox',
    fidelity: {
      place: 'sandbox',
      parts: [
        { part: 'FUSE and mounts', is: 'the kernel’s own, in private namespaces', fake: false },
        { part: 'agent', is: 'the real process, with its CSI socket', fake: false },
        { part: 'FUSE daemon', is: 'a small filesystem that serves the bucket over S3', fake: true },
        { part: 'kubelet', is: 'pods are process trees in namespaces', fake: true },
        { part: 'API server', is: 'in memory, over HTTP', fake: true },
        { part: 'object store', is: 'embedded S3 store in place of OSS', fake: true },
      ],
      clockScale: 10,
    },
    machine: {
      kernel: '6.12.0-18-amd64',
      os: 'Debian GNU/Linux 12',
      cpus: 2,
      memoryBytes: 8 * 1024 ** 3,
      node: 'v24.21.0',
      root: true,
    },
    verdict: 'fail',
    interrupted: false,
    scenarios,
    leftovers: [],
  };
}

function scenarioOf({
  plot,
  id,
  from,
  tookNs,
  events,
}: Pick<StoryInput, 'plot' | 'id' | 'from'> & {
  readonly tookNs: number;
  readonly events: readonly HistoryEvent[];
}): ScenarioRecord {
  const lastStep = plot.status === 'skipped' ? 'skipped' : plot.status === 'fail' ? 'failed' : 'passed';
  const texts: readonly (readonly [string, string, number])[] = [
    ['Given', 'pod "demo-app" reads "demo-dataset" at /data', 0.11],
    ['When', plot.fault ? `the FUSE daemon dies by ${plot.fault}` : 'the dataset is Bound', 0.14],
    ['Then', plot.name, 0.7],
    ['And', 'everything of the scenario is released', 0.05],
  ];
  let at = from;
  const steps = texts.map(([keyword, text, share], i): StepRecord => {
    const status =
      plot.status === 'skipped'
        ? 'skipped'
        : i === 2
          ? lastStep
          : i > 2 && lastStep === 'failed'
            ? 'skipped'
            : 'passed';
    const step = { keyword, text, status, at, tookNs: status === 'skipped' ? 0 : tookNs * share } as const;
    at += step.tookNs;
    return status === 'failed' ? { ...step, error: `AssertionError: ${plot.reason}` } : step;
  });
  return {
    id,
    feature: plot.feature,
    uri: `${plot.feature.toLowerCase().replaceAll(' ', '-')}.feature`,
    line: 12,
    ...(plot.rule ? { rule: plot.rule } : {}),
    name: plot.name,
    tags: ['@sandbox', ...plot.claims.map((claim) => `@${claim}`), ...(plot.fault ? [`@fault:${plot.fault}`] : [])],
    claims: plot.claims,
    status: plot.status,
    ...(plot.reason ? { reason: plot.reason } : {}),
    startedAt: from,
    finishedAt: from + tookNs,
    steps,
    checks: plot.checks,
    recoveries: new Timeline(events).recoveries,
    ...(plot.mountLines ? { mountLines: plot.mountLines } : {}),
  };
}
