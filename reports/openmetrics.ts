import type { Recovery, Run } from '../src/timeline/record.ts';
import { stageNs, stages } from '../src/timeline/stages.ts';
import { countStatuses, statuses } from '../src/timeline/verdict.ts';

type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly suffix?: string;
  readonly labels?: Labels;
  readonly value: number;
}
interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info' | 'stateset';
  readonly unit?: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A run as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/): one sample for each crash. */
export function renderOpenMetrics({ record }: Pick<Run, 'record'>): string {
  const crashes = record.scenarios.flatMap(({ id, recoveries }) =>
    recoveries.map((recovery, i) => ({ recovery, labels: crashLabels(id, i, recovery) })),
  );
  const counts = countStatuses(record.scenarios);
  const families: readonly Family[] = [
    {
      name: 'rekindle_run',
      type: 'info',
      help: 'The run that these numbers are of.',
      samples: [
        {
          suffix: '_info',
          labels: {
            run: record.runId,
            version: record.rekindle,
            profile: record.profile,
            cluster: record.cluster,
            fidelity: record.fidelity.place,
            kernel: record.machine.kernel,
          },
          value: 1,
        },
      ],
    },
    {
      name: 'rekindle_verdict',
      type: 'stateset',
      help: 'Verdict of the run.',
      samples: (['pass', 'fail', 'inconclusive'] as const).map((verdict) => ({
        labels: { rekindle_verdict: verdict },
        value: record.verdict === verdict ? 1 : 0,
      })),
    },
    {
      name: 'rekindle_scenarios',
      type: 'gauge',
      help: 'Scenarios by status.',
      samples: statuses.map((status) => ({ labels: { status }, value: counts[status] })),
    },
    {
      name: 'rekindle_clock_scale',
      type: 'gauge',
      help: 'Seconds of the fake kubelet’s clock in one real second.',
      samples: [{ value: record.fidelity.clockScale }],
    },
    {
      name: 'rekindle_outage_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'From the crash to the first good read in the pod; absent where the pod did not read again.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        recovery.readable === undefined ? [] : [{ labels, value: inSeconds(recovery.readable - recovery.crash) }],
      ),
    },
    {
      name: 'rekindle_phase_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'How long a phase of a recovery took.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        stages.flatMap((stage) => {
          const ns = stageNs(recovery, stage);
          return ns === undefined ? [] : [{ labels: { phase: stage.name, ...labels }, value: inSeconds(ns) }];
        }),
      ),
    },
    {
      name: 'rekindle_longest_stall_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'Longest time that one probe operation was late, from when it was due.',
      samples: crashes.map(({ recovery, labels }) => ({ labels, value: inSeconds(recovery.longestStallNs) })),
    },
    {
      name: 'rekindle_probe_errors',
      type: 'counter',
      help: 'Failed probe operations by errno.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        Object.entries(recovery.errors).map(([errno, value]) => ({
          suffix: '_total',
          labels: { errno, ...labels },
          value,
        })),
      ),
    },
    {
      name: 'rekindle_mount_lines',
      type: 'gauge',
      help: 'Lines of the mount tables of node and pods, before the first fault and after the last recovery.',
      samples: record.scenarios.flatMap(({ id, mountLines }) =>
        mountLines
          ? (['before', 'after'] as const).map((when) => ({ labels: { scenario: id, when }, value: mountLines[when] }))
          : [],
      ),
    },
  ];
  return `${families
    .filter((family) => family.samples.length > 0)
    .map(renderFamily)
    .join('')}# EOF\n`;
}

function crashLabels(scenario: string, index: number, recovery: Recovery): Labels {
  return { scenario, crash: String(index + 1), fault: recovery.fault, pod: recovery.probe ?? recovery.pod };
}

function renderFamily({ name, type, unit, help, samples }: Family): string {
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit ? [`# UNIT ${name} ${unit}`] : []),
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    ...samples.map(({ suffix = '', labels = {}, value }) => `${name}${suffix}${renderLabels(labels)} ${value}`),
  ];
  return `${lines.join('\n')}\n`;
}

function renderLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const text = value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    return `${name}="${text}"`;
  });
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function inSeconds(ns: number): number {
  return Number((ns / 1e9).toFixed(9));
}
