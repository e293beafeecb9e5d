import type { ScenarioDigest } from '../../src/timeline/digest.ts';
import { formatNs } from '../../src/timeline/duration.ts';
import { groupBy } from '../../src/timeline/group-by.ts';
import type { ProbeColumns } from '../../src/timeline/probe-columns.ts';
import type { HistoryEvent, ScenarioRecord } from '../../src/timeline/record.ts';
import type { PackedProbe, PackedScenario, Span } from '../page/packed.ts';
import type { Axis } from './axis.ts';
import { podOf } from './happening.ts';
import { happeningsOf } from './happenings.ts';
import { lanesOf, placeOn } from './lanes.ts';
import { mountTables } from './mounts.ts';
import { resultLook } from './shapes.ts';
import { transcriptOf } from './transcript.ts';
import { faultWindows, outages } from './windows.ts';

const shownCloseUps = 12;

/** The time that a scenario's pictures span, in nanoseconds. */
export function axisOf(scenario: ScenarioRecord, { events, probes }: ScenarioDigest): Axis {
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

/** All that the page's script draws and lists of a scenario, but the probes' operations. */
export function scenarioData(scenario: ScenarioRecord, digest: ScenarioDigest): PackedScenario {
  const axis = axisOf(scenario, digest);
  const place = placeOn(axis);
  const { events } = digest;
  const windows = [...outages(scenario.recoveries, axis), ...faultWindows(events, axis)];
  const happenings = happeningsOf(digest, place);
  const output = transcriptOf(digest, place);
  return {
    from: place(axis.from),
    to: place(axis.to),
    closeUps: closeUpsOf(scenario).map(({ from, to, name }) => ({ from: place(from), to: place(to), name })),
    faults: events.flatMap((event) =>
      event.kind === 'fault' && event.phase === 'injected'
        ? { at: place(event.at), name: event.fault, title: `${event.fault} in ${event.target}` }
        : [],
    ),
    windows: windows.map((window) => ({ ...window, from: place(window.from), to: place(window.to) })),
    probes: digest.probes.map((probe) => probeData(probe, events, axis)),
    lanes: lanesOf(digest, axis),
    happenings: happenings.list,
    output: output.list,
    tables: mountTables(digest, scenario.recoveries, scenario),
    left: { happenings: happenings.left, output: output.left },
  };
}

function probeData(probe: ProbeColumns, events: readonly HistoryEvent[], axis: Axis): PackedProbe {
  const counts = probe.results.map(() => 0);
  for (let i = 0; i < probe.count; i++) counts[probe.resultIndex(i)] = (counts[probe.resultIndex(i)] ?? 0) + 1;
  return {
    name: podOf(probe.probe),
    count: probe.count,
    results: probe.results.map((name, i) => ({ name, ...resultLook(name), count: counts[i] ?? 0 })),
    hangs: hangsOf(probe.probe, events, axis),
  };
}

/** A hang is told again and again while it lasts. */
function hangsOf(probe: string, events: readonly HistoryEvent[], axis: Axis): Span[] {
  const place = placeOn(axis);
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

/** Each crash from just before it until the pods could read and the agent had seen so. */
function closeUpsOf({
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
