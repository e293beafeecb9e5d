import type { ProbeColumns, ScenarioDigest } from '../../src/timeline/digest.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { HistoryEvent, ScenarioRecord } from '../../src/timeline/record.ts';
import type { PackedLine, PackedProbe, PackedScenario, Span } from '../page/packed.ts';
import type { Axis } from './chart.ts';
import { collectEvents, podName } from './event-marks.ts';
import { buildLanes, faultWindows, microsOn, outages, type ToMicros } from './lanes.ts';
import { mountTables } from './mounts.ts';
import { lookForResult } from './shapes.ts';

const shownCloseUps = 12;

/** The period of a scenario's time line, in nanoseconds. */
export function scenarioAxis(scenario: ScenarioRecord, { events, probes }: ScenarioDigest): Axis {
  const times = [
    scenario.startedAt,
    scenario.finishedAt,
    ...probes.flatMap((probe) => [probe.at(0), probe.at(probe.count - 1)]),
  ];
  const from = Math.min(...times, events[0]?.at ?? scenario.startedAt);
  const to = Math.max(...times, events.at(-1)?.at ?? scenario.finishedAt);
  // A scenario without any duration still needs an axis.
  return { from, to: Math.max(to, from + 1e6), zero: scenario.startedAt };
}

/** Data of a scenario for the page's script, without the probes' operations. */
export function scenarioData(scenario: ScenarioRecord, digest: ScenarioDigest): PackedScenario {
  const axis = scenarioAxis(scenario, digest);
  const place = microsOn(axis);
  const { events } = digest;
  const windows = [...outages(scenario.recoveries, axis), ...faultWindows(events, axis)];
  const shown = collectEvents(digest, place);
  const output = collectOutput(digest, place);
  return {
    from: place(axis.from),
    to: place(axis.to),
    closeUps: closeUpsFor(scenario).map(({ from, to, name }) => ({ from: place(from), to: place(to), name })),
    faults: events.flatMap((event) =>
      event.kind === 'fault' && event.phase === 'injected'
        ? { at: place(event.at), name: event.fault, title: `${event.fault} in ${event.target}` }
        : [],
    ),
    windows: windows.map((window) => ({ ...window, from: place(window.from), to: place(window.to) })),
    probes: digest.probes.map((probe) => probeData(probe, events, axis)),
    lanes: buildLanes(digest, axis),
    events: shown.list,
    output: output.list,
    tables: mountTables(digest, scenario.recoveries, scenario),
    left: { events: shown.left, output: output.left },
  };
}

function probeData(probe: ProbeColumns, events: readonly HistoryEvent[], axis: Axis): PackedProbe {
  const counts = probe.results.map(() => 0);
  for (let i = 0; i < probe.count; i++) counts[probe.resultIndex(i)] = (counts[probe.resultIndex(i)] ?? 0) + 1;
  return {
    name: podName(probe.probe),
    count: probe.count,
    results: probe.results.map((name, i) => ({ name, ...lookForResult(name), count: counts[i] ?? 0 })),
    hangs: hangSpans(probe.probe, events, axis),
  };
}

/** Joins the repeated events of each hang. */
function hangSpans(probe: string, events: readonly HistoryEvent[], axis: Axis): Span[] {
  const place = microsOn(axis);
  const seen = events.filter((event) => event.kind === 'hang' && event.probe === probe) as Extract<
    HistoryEvent,
    { kind: 'hang' }
  >[];
  return [...groupBy(seen, ({ op, since }) => `${op} ${since}`).values()].flatMap((own): Span[] => {
    const last = own.at(-1);
    if (last === undefined) return [];
    const { op, since, over } = last;
    const to = over ? last.at : Math.max(last.at, axis.to);
    const took = formatNs(to - since);
    return [
      {
        from: place(since),
        to: place(to),
        weight: 'thick',
        look: 'odd',
        title: `${op} hung for ${took}${over ? '' : ' and had not come back'}`,
        label: `hang, ${took}`,
      },
    ];
  });
}

/** Close-ups of the crashes, from shortly before until the pods could read and the agent had verified it. */
function closeUpsFor({
  recoveries,
}: ScenarioRecord): { readonly from: number; readonly to: number; readonly name: string }[] {
  const crashes = [...groupBy(recoveries, ({ crash }) => crash)];
  return crashes.slice(0, shownCloseUps).flatMap(([crash, all], i) => {
    const ends = all.flatMap(({ readable, replacedOnNode, verified }) =>
      readable === undefined ? [] : [readable, replacedOnNode ?? 0, verified ?? 0],
    );
    if (ends.length === 0) return [];
    const took = Math.max(...ends) - crash;
    return [
      {
        from: crash - took * 0.08,
        to: crash + took * 1.15,
        name: crashes.length === 1 ? 'The crash' : `Crash ${i + 1}`,
      },
    ];
  });
}

const shownPhrases = 12;

/** Describes a time line in words, for screen readers. */
export function describeScenario({ from, to, windows, probes, lanes }: PackedScenario): string {
  const saw = probes.map(({ name, results, hangs }) => {
    const said = [...results.map((result) => `${result.name} × ${result.count}`), ...hangs.map(({ title }) => title)];
    return `Probe in ${name}: ${said.slice(0, shownPhrases).join(', ')}`;
  });
  const did = lanes.map(({ name, marks }) => {
    const counted = groupBy(marks, (mark) => mark.label ?? '');
    const said = [...counted].flatMap(([label, own]) =>
      label === '' ? [] : `${label}${own.length > 1 ? ` ${own.length} times` : ''}`,
    );
    return said.length === 0 ? '' : `${name}: ${said.slice(0, shownPhrases).join(', ')}`;
  });
  const shaded = windows.map(({ says }) => says);
  const parts = [
    ...shaded.slice(0, shownPhrases),
    ...saw.slice(0, shownPhrases),
    ...did.filter((part) => part).slice(0, shownPhrases),
  ];
  return `${formatNs((to - from) * 1e3)}. ${parts.join('. ')}.`;
}

const shownLines = 1000;

/** The output of programs in the pod, line by line. */
export function collectOutput(
  { events }: Pick<ScenarioDigest, 'events'>,
  place: ToMicros,
): { readonly list: PackedLine[]; readonly left: number } {
  const lines = events.filter((event) => event.kind === 'output');
  const list = lines.slice(0, shownLines).map(
    ({ at, program, stream, text }): PackedLine => ({
      at: place(at),
      program,
      text,
      ...(stream === 'stderr' ? { error: true } : {}),
    }),
  );
  return { list, left: Math.max(0, lines.length - shownLines) };
}
