import { Counter, Gauge, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Recovery, Run } from '../src/timeline/record.ts';
import { stageNs, stages } from '../src/timeline/stages.ts';
import { countStatuses, statuses, verdictNames } from '../src/timeline/verdict.ts';

type Labels = Readonly<Record<string, string>>;
interface MetricSample {
  readonly labels?: Labels;
  readonly value: number;
}
interface Family {
  readonly name: string;
  readonly type?: 'counter';
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** Renders a run as OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/), with one sample for each crash. */
export function renderOpenMetrics({ record }: Pick<Run, 'record'>): Promise<string> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const { name, type, help, samples } of families(record)) {
    if (samples.length === 0) continue;
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const options = { name, help, labelNames, registers: [registry] };
    if (type === 'counter') {
      const counter = new Counter(options);
      for (const { labels = {}, value } of samples) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(options);
      for (const { labels = {}, value } of samples) gauge.set(labels, value);
    }
  }
  return registry.metrics();
}

function families(record: Run['record']): readonly Family[] {
  const crashes = record.scenarios.flatMap(({ id, recoveries }) =>
    recoveries.map((recovery, i) => ({ recovery, labels: crashLabels(id, i, recovery) })),
  );
  const counts = countStatuses(record.scenarios);
  return [
    {
      name: 'rekindle_run_info',
      help: 'The run that these numbers describe.',
      samples: [
        {
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
      help: 'Verdict of the run: 1 for the one that holds.',
      samples: Object.keys(verdictNames).map((verdict) => ({
        labels: { rekindle_verdict: verdict },
        value: record.verdict === verdict ? 1 : 0,
      })),
    },
    {
      name: 'rekindle_scenarios',
      help: 'Scenarios by status.',
      samples: statuses.map((status) => ({ labels: { status }, value: counts[status] })),
    },
    {
      name: 'rekindle_clock_scale',
      help: 'Seconds of the fake kubelet’s clock per real second.',
      samples: [{ value: record.fidelity.clockScale }],
    },
    {
      name: 'rekindle_outage_seconds',
      help: 'From the crash to the first good read in the pod; absent if the pod did not read again.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        recovery.readable === undefined ? [] : [{ labels, value: toSeconds(recovery.readable - recovery.crash) }],
      ),
    },
    {
      name: 'rekindle_phase_seconds',
      help: 'Duration of one phase of a recovery.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        stages.flatMap((stage) => {
          const ns = stageNs(recovery, stage);
          return ns === undefined ? [] : [{ labels: { phase: stage.name, ...labels }, value: toSeconds(ns) }];
        }),
      ),
    },
    {
      name: 'rekindle_longest_stall_seconds',
      help: 'Longest delay of a probe operation, from its scheduled time.',
      samples: crashes.map(({ recovery, labels }) => ({ labels, value: toSeconds(recovery.longestStallNs) })),
    },
    {
      name: 'rekindle_probe_errors_total',
      type: 'counter',
      help: 'Failed probe operations by errno.',
      samples: crashes.flatMap(({ recovery, labels }) =>
        Object.entries(recovery.errors).map(([errno, value]) => ({ labels: { errno, ...labels }, value })),
      ),
    },
    {
      name: 'rekindle_mount_lines',
      help: 'Lines in the mount tables of the node and its pods, before the first fault and after the last recovery.',
      samples: record.scenarios.flatMap(({ id, mountLines }) =>
        mountLines
          ? (['before', 'after'] as const).map((when) => ({ labels: { scenario: id, when }, value: mountLines[when] }))
          : [],
      ),
    },
  ];
}

function crashLabels(scenario: string, index: number, recovery: Recovery): Labels {
  return { scenario, crash: String(index + 1), fault: recovery.fault, pod: recovery.probe ?? recovery.pod };
}

function toSeconds(ns: number): number {
  return Number((ns / 1e9).toFixed(9));
}
