import { formatNs } from '../../src/timeline/duration.ts';
import type { BudgetResult } from './budget.ts';
import type { FigureChange, SeriesChange } from './compare.ts';
import { formatMs, inColumns, pacingText, readyNote, requestText, usageText } from './format.ts';
import { benchPhases, clockDisagreements, failoverPhases, headline, isRecovered, phaseSamples } from './phases.ts';
import { ratioTables } from './ratios.ts';
import type { BenchCrash, BenchRecord, BenchSeries } from './record.ts';
import { fitLine, growthExponent, type Interval, quantile, sortedCopy, summarize } from './statistics.ts';

const confidence = 0.95;

/** Renders a benchmark for the terminal: each series by phase, then the arms side by side. */
export function benchText(record: BenchRecord): readonly string[] {
  return [
    ...record.series.flatMap((series) => ['', ...seriesText(series)]),
    ...sandboxText(record),
    ...ratioText(record.series),
    ...failoverText(record.series),
    ...crashLoopText(record),
    ...curveText(record.series),
    ...(record.interrupted
      ? ['', 'Interrupted: these figures are of the crashes before the interruption, and are in bench.json.']
      : []),
  ];
}

function seriesText(series: BenchSeries): readonly string[] {
  const { id, title, conditions, crashes, asked, warmUp, stopped, deadlineMs } = series;
  const { fault, pods, datasets, rate } = conditions;
  const recovered = crashes.filter(isRecovered).length;
  const count = new Set(crashes.map(({ crash }) => crash)).size;
  const rows = benchPhases.flatMap((phase) => {
    const figures = summarize(phaseSamples(crashes, phase), confidence);
    if (figures === undefined) return [];
    const { min, p50, p90, p99, max, intervals } = figures;
    return [
      [
        `  ${phase.says}`,
        formatMs(min),
        ...[formatMs(p50), formatInterval(intervals.p50)],
        ...[formatMs(p90), formatInterval(intervals.p90)],
        ...[formatMs(p99), formatInterval(intervals.p99)],
        formatMs(max),
        String(figures.count),
      ],
    ];
  });
  const head = ['  milliseconds', 'min', 'p50', '(95 %)', 'p90', '(95 %)', 'p99', '(95 %)', 'max', 'n'];
  return [
    `${id}: ${title}`,
    `  ${count} of ${asked} crashes (${fault}) after ${warmUp} to warm up; ${plural(datasets, 'dataset')} with ${plural(pods, 'pod')} each; probe ${rate}/s, so ±${formatMs(1000 / rate)} ms; ${pacingText(conditions)}`,
    ...(stopped === undefined ? [] : [`  stopped: ${stopped}`]),
    ...programText(series),
    ...(series.readyBy === undefined ? [] : [`  ${readyNote}`]),
    ...(rows.length > 0 ? inColumns([head, ...rows]) : []),
    `  read again: ${recovered} of ${crashes.length}${recovered < crashes.length ? `; the others not within ${deadlineMs / 1000} s` : ''}`,
    ...troubleText(series),
  ];
}

function programText({ program }: BenchSeries): readonly string[] {
  if (program === undefined) return [];
  return [`  ${program.command}`, ...program.files.map(({ path, sha256 }) => `  sha256 ${sha256}  ${path}`)];
}

function troubleText(series: BenchSeries): readonly string[] {
  const { crashes, mountLines, apiRequests } = series;
  const errors = new Map<string, number>();
  for (const crash of crashes)
    for (const [errno, times] of Object.entries(crash.errors)) errors.set(errno, (errors.get(errno) ?? 0) + times);
  const counts = [...errors].toSorted(([, a], [, b]) => b - a).map(([errno, times]) => `${errno} ${times}`);
  const late = crashes.reduce((sum, crash) => sum + crash.late, 0);
  const longest = crashes.reduce((most, crash) => Math.max(most, crash.longestStallNs), 0);
  const lines = [
    ...clockDisagreements(series).map((sentence) => `  ${sentence}`),
    `  errors: ${counts.join(', ') || 'none'}`,
    `  stalls: ${plural(late, 'operation')} came back more than 10 ms late, the longest ${formatMs(longest / 1e6)} ms`,
  ];
  if (mountLines)
    lines.push(
      `  mount table of the node and the watched pods: ${mountLines.before} lines before, ${mountLines.after} after`,
    );
  const used = usageText(series);
  if (used !== undefined) lines.push(`  agent ${used}`);
  if (apiRequests) lines.push(...requestText(apiRequests));
  return lines;
}

/** A table of all arms next to the agent. */
function ratioText(series: readonly BenchSeries[]): readonly string[] {
  return ratioTables(series, confidence).flatMap(({ point, head, rows }) => [
    '',
    `${point}side by side, in this run`,
    ...inColumns([head, ...rows].map(([first = '', ...others]) => [`  ${first}`, ...others])),
  ]);
}

/** What a standby is worth: from the end of the connection to the first good read, for each arm of a run that has standbys. */
function failoverText(series: readonly BenchSeries[]): readonly string[] {
  if (!series.some(({ arm }) => arm === 'standby')) return [];
  // A connection that is taken over does not end.
  const ending = series.filter(({ arm }) => arm !== 'takeover');
  const rows = ending.flatMap(({ id, title, crashes }) =>
    failoverPhases.map(({ says, ...phase }, index) => {
      const figures = summarize(phaseSamples(crashes, { says, ...phase }), confidence);
      const cells = figures ? [figures.p50, figures.p90, figures.p99, figures.max].map(formatMs) : ['-', '-', '-', '-'];
      return [index === 0 ? `  ${id}: ${title}` : '', says, ...cells, String(figures?.count ?? 0)];
    }),
  );
  return [
    '',
    'with and without a standby, in this run; without one, the restart of the daemon is part of it',
    ...inColumns([['  milliseconds', '', 'p50', 'p90', 'p99', 'max', 'n'], ...rows]),
  ];
}

/**
 * The outage of each crash of a loop, with the kubelet's delay at its own speed: if the pod read only after the restart, what the delay
 * was shortened by is added.
 */
function crashLoopText({ series, fidelity }: BenchRecord): readonly string[] {
  const loops = series.filter(({ conditions }) => conditions.crashLoop);
  if (loops.length === 0) return [];
  const { clockScale } = fidelity;
  const outage = ({ moments: { daemonReady, readable }, backoffNs = 0 }: BenchCrash) => {
    if (readable === undefined) return 'not in time';
    const shortened = daemonReady === undefined ? 0 : backoffNs - backoffNs / clockScale;
    return formatNs(readable + shortened);
  };
  const numbers = [...new Set(loops.flatMap(({ crashes }) => crashes.map(({ crash }) => crash)))];
  const rows = numbers.map((number) => {
    const own = loops.map(({ crashes }) => crashes.find(({ crash }) => crash === number));
    return [`  ${number}`, ...own.flatMap((one) => (one ? [formatNs(one.backoffNs ?? 0), outage(one)] : ['-', '-']))];
  });
  const head = ['  crash', ...loops.flatMap(({ arm }) => ['the kubelet waits', `outage, ${arm}`])];
  return [
    '',
    `a crash loop; the kubelet's clock ran ${clockScale} times as fast, and its delays are shown and counted at its own speed`,
    ...inColumns([head, ...rows]),
    ...loops.map(({ arm, title }) => `  ${arm}: ${title}`),
  ];
}

/** The agent's phases as a function of the condition that was varied. */
function curveText(series: readonly BenchSeries[]): readonly string[] {
  const varied = series.filter(({ arm, id }) => arm === 'agent' && id.includes('=') && !id.startsWith(sandboxPrefix));
  if (varied.length < 2) return [];
  const [name = ''] = varied[0]?.id.split('=') ?? [];
  const head = curveNames.flatMap((phase) => [phase, 'max']);
  const rows = varied.map((one) => [
    `  ${one.id.replace(/\/agent$/, '')}`,
    ...curveNames.flatMap((phase) => [0.5, 1].map((share) => formatMs(phaseQuantile(one, phase, share)))),
  ]);
  const says = benchPhases.filter((phase) => curveNames.includes(phase.name)).map((one) => `${one.name}: ${one.says}`);
  return [
    '',
    `by ${name}, milliseconds: median and max`,
    ...inColumns([['', ...head], ...rows]),
    `  ${says.join('; ')}`,
    ...(name === 'pods' ? linearText(varied) : []),
    ...(name === 'rate'
      ? ['  Replacements are taken from the mount tables, so they do not depend on the probe’s rate.']
      : []),
  ];
}

const curveNames: readonly string[] = ['pod', 'verify', 'ready-to-readable', 'last-pod'];

/** With a single pod, `last-pod` is that pod's recovery. */
function phaseQuantile(series: BenchSeries, name: string, share: number): number {
  const wanted = name === 'last-pod' && series.conditions.pods === 1 ? headline.agent : name;
  const samples = benchPhases
    .filter((phase) => phase.name === wanted)
    .flatMap((phase) => phaseSamples(series.crashes, phase));
  return quantile(sortedCopy(samples), share);
}

/** Growth is linear if the fit is good and the last section does not bend upwards. */
const linearity = { minimumR2: 0.95, maximumExponent: 1.2 } as const;

function linearText(varied: readonly BenchSeries[]): readonly string[] {
  const points = varied
    .map((one) => [one.conditions.pods, phaseQuantile(one, 'last-pod', 0.5)] as const)
    .filter(([, y]) => Number.isFinite(y))
    .toSorted(([a], [b]) => a - b);
  const line = fitLine(points);
  if (line === undefined) return [];
  const exponent = growthExponent(points);
  const isLinear = line.r2 >= linearity.minimumR2 && (exponent === undefined || exponent <= linearity.maximumExponent);
  return [
    `  ${isLinear ? 'linear in pods' : 'not linear in pods'}: last pod = ${formatMs(line.base)} ms + ${line.slope.toFixed(3)} ms × pods, R² ${line.r2.toFixed(3)}${exponent === undefined ? '' : `; from ${points.at(-2)?.[0]} to ${points.at(-1)?.[0]} pods it grows as pods^${exponent.toFixed(2)}`}`,
  ];
}

const formatInterval = (interval: Interval | undefined) =>
  interval ? `${formatMs(interval.low)} … ${formatMs(interval.high)}` : '';
const plural = (count: number, thing: string) =>
  `${count} ${thing}${count === 1 ? '' : thing.endsWith('s') ? 'es' : 's'}`;

/** Phases that split an outage between kubelet, daemon and agent. */
const splitPhases = ['kubelet', 'daemon-start', headline.agent, headline.whole] as const;
/** Goal for the agent's phase on a real cluster, in milliseconds. */
const goal = { median: 10, worst: 100 } as const;

/** Prefix of the id of a series that was measured in the sandbox for comparison with a cluster. */
export const sandboxPrefix = 'sandbox/';

/** Median and worst of the phases of an outage, for a cluster and, next to it, for the sandbox. */
export function sandboxText({ series, cluster }: Pick<BenchRecord, 'series' | 'cluster'>): readonly string[] {
  const pairs = series.flatMap((one) => {
    const other = series.find(({ id }) => id === `${sandboxPrefix}${one.id}`);
    return other ? [[one, other] as const] : [];
  });
  return pairs.flatMap(([one, other]) => {
    const phases = splitPhases.flatMap((name) => benchPhases.filter((phase) => phase.name === name));
    const rows = phases.map((phase) => [
      `  ${phase.says}`,
      ...[one, other].flatMap(({ crashes }) => {
        const took = sortedCopy(phaseSamples(crashes, phase));
        return [formatMs(quantile(took, 0.5)), formatMs(quantile(took, 1))];
      }),
    ]);
    const head = ['  milliseconds', `${cluster}: median`, 'worst', 'sandbox: median', 'worst'];
    return ['', `${one.id}: ${cluster} next to the sandbox`, ...inColumns([head, ...rows]), ...goalText(one)];
  });
}

function goalText({ crashes }: BenchSeries): readonly string[] {
  const phase = benchPhases.find(({ name }) => name === headline.agent);
  const took = phase ? sortedCopy(phaseSamples(crashes, phase)) : [];
  if (took.length === 0) return [];
  const [median, worst] = [quantile(took, 0.5), quantile(took, 1)];
  const reached = median <= goal.median && worst <= goal.worst;
  return [
    `  ${reached ? '✔' : '✘'} the agent’s part: median ${formatMs(median)} ms (goal ${goal.median}), worst of ${took.length} ${formatMs(worst)} ms (goal ${goal.worst})`,
  ];
}

/** Renders a comparison for the terminal: each series with its phases and the reason of its verdict. */
export function comparisonText(changes: readonly SeriesChange[], confidence: number): readonly string[] {
  const percent = `${Number((confidence * 100).toFixed(2))} %`;
  return changes.flatMap((change) => [
    '',
    `${change.id}: ${change.verdict} (${change.because})`,
    `  recovered: ${change.recovered[0]} before, ${change.recovered[1]} after`,
    ...inColumns([
      ['  milliseconds', 'p50', 'then', 'by', `(${percent})`, 'p90', 'then', 'by', `(${percent})`, 'n', 'verdict'],
      ...change.phases.map(({ phase, p50, p90, counts, verdict }) => [
        `  ${phase.says}${phase.byAgent ? '' : ' *'}`,
        ...figureCells(p50),
        ...figureCells(p90),
        counts[0] === counts[1] ? String(counts[0]) : counts.join('/'),
        verdict,
      ]),
    ]),
    '  * not in the agent’s hands',
  ]);
}

function figureCells({ before, after, difference }: FigureChange): readonly string[] {
  return [
    formatMs(before),
    formatMs(after),
    signed(after - before),
    difference ? `${signed(difference.low)} … ${signed(difference.high)}` : '',
  ];
}

function signed(milliseconds: number): string {
  const text = formatMs(milliseconds);
  return milliseconds > 0 ? `+${text}` : text;
}

/** One line for each budget and series. */
export function budgetText(results: readonly BudgetResult[]): readonly string[] {
  return results.map(({ budget, series, valueMs, isMet }) => {
    const value =
      valueMs === undefined
        ? 'was not measured'
        : Number.isFinite(valueMs)
          ? `is ${formatMs(valueMs)} ms`
          : 'has no end';
    return `${isMet ? '✔' : '✘'} budget ${budget.text}: ${series}, ${budget.phase} ${value}`;
  });
}
