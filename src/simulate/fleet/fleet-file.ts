import { z } from 'zod';
import { parseDuration } from '../../timeline/duration.ts';
import { parseYaml } from '../../yaml-file.ts';

/** The means of recovery that a forecast compares, in the order of its tables. */
export const allMeans = ['nothing', 'restart', 'poll', 'ordinary', 'standby', 'takeover'] as const;
export type Means = (typeof allMeans)[number];

const day = 86_400_000;
export const yearMs = 365 * day;

const timeText = 'a time, as 250ms, 5s, 2m, 12h or 30d';
const time = z.string(timeText).transform((text, context) => {
  const ms = parseDuration(text);
  if (ms === undefined) context.addIssue({ code: 'custom', message: timeText, input: text });
  return ms ?? Number.NaN;
});
const positiveTime = time.refine((ms) => !(ms <= 0), 'a time above 0');

const whole = (from: number, to: number) => {
  const accepted = `a whole number from ${from} to ${to}`;
  return z.int(accepted).min(from, accepted).max(to, accepted);
};
const number = (from: number, to: number) => {
  const accepted = `a number from ${from} to ${to}`;
  return z.number(accepted).min(from, accepted).max(to, accepted);
};

/** More often, a daemon would be down for most of its life. */
const rate = number(0, 10_000).describe('How often a daemon does this in a year.');

const spread = z
  .strictObject({
    median: positiveTime.describe('Half of them take no longer.'),
    p99: positiveTime.describe('99 % of them take no longer.'),
  })
  .refine(({ median, p99 }) => !(p99 < median), { message: 'a p99 that is not below the median', path: ['p99'] });
/** A log-normal distribution of durations, in milliseconds. */
export type Spread = z.infer<typeof spread>;

const rollout = (what: string, takes: string) =>
  z.strictObject({
    perYear: number(0, 365).describe(`How often ${what}.`),
    nodesAtOnce: whole(1, 100_000).describe('Nodes that are handled together.'),
    takes: positiveTime.describe(takes),
  });

const causes = z.strictObject({
  crash: z.strictObject({ perDaemonYear: rate }).optional().describe('The daemon ends by an error of its own.'),
  oom: z.strictObject({ perDaemonYear: rate }).optional().describe('The kernel kills the daemon for its memory.'),
  hang: z
    .strictObject({
      perDaemonYear: rate,
      endsAfter: positiveTime.describe('When a liveness probe or a person ends the daemon that hangs.'),
    })
    .optional()
    .describe('The daemon stops answering, and its connection stays open until it is ended.'),
  crashLoop: z
    .strictObject({
      perDaemonYear: rate.describe('How often such a loop begins in a year.'),
      crashes: whole(2, 1000).describe('Crashes of a loop.'),
      runsFor: time.describe('How long the daemon serves before it crashes again.'),
    })
    .optional()
    .describe('The daemon crashes again and again, so that the kubelet waits ever longer.'),
  daemonUpgrade: rollout('the FUSE pods are replaced by a new version', 'How long one batch of nodes takes.')
    .extend({ podStart: spread.describe('From the end of the old container to the start of the new pod’s.') })
    .optional()
    .describe('A new version of the daemon, node by node, under running pods. A new pod has no back-off.'),
  nodeUpgrade: rollout('the nodes are drained and upgraded', 'How long a node is away.')
    .optional()
    .describe('Pods leave the node in good order, so this is no outage; dead pods are replaced by it as well.'),
});
export type Causes = z.infer<typeof causes>;

const schema = z
  .strictObject({
    nodes: whole(1, 100_000).describe('Nodes of the fleet.'),
    podsPerNode: whole(1, 1000).describe('Pods on each node that mount a dataset.'),
    datasetsPerNode: whole(1, 100).describe('Datasets on each node, each with a FUSE daemon; pods are spread evenly.'),
    days: number(1, 366).default(365).describe('How long to simulate.'),
    causes: causes.describe('Why daemons end, and how often.'),
    daemon: z
      .strictObject({
        start: spread.optional().describe('From the start of its container to ready. By default as measured.'),
        memoryMiB: number(1, 1e6).default(512).describe('Memory of one daemon: the price of a second one.'),
      })
      .prefault({})
      .describe('The FUSE daemon.'),
    kubelet: z
      .strictObject({
        initial: positiveTime.default(10_000).describe('The delay of the second restart; the first is immediate.'),
        maximum: positiveTime.default(300_000).describe('The longest delay.'),
        resetAfter: positiveTime.default(600_000).describe('A run longer than this begins the series anew.'),
        relist: time.default(1000).describe('It notices the end of a container within this time (PLEG).'),
        resync: time
          .default(15_000)
          .describe('After a back-off it starts the container within this time (pod worker).'),
      })
      .prefault({})
      .describe('The kubelet’s back-off, by default that of its source, and its lateness.'),
    pods: z
      .strictObject({
        replacedAfter: positiveTime
          .default(7 * day)
          .describe(
            'Mean age at which a pod is replaced anyway. If nothing recovers a dead mount, this ends the outage.',
          ),
      })
      .prefault({})
      .describe('The pods that read.'),
    restart: z
      .strictObject({
        noticed: time.default(30_000).describe('When a liveness probe or an operator notices a dead mount.'),
        takes: spread.prefault({ median: '15s', p99: '2m' }).describe('From then until the new pod reads.'),
        requests: number(0, 1000).default(14).describe('API requests for each pod that is replaced, events included.'),
        events: number(0, 1000).default(6).describe('Events for each pod that is replaced.'),
      })
      .prefault({})
      .describe('Restarting the pod.'),
    poll: z
      .strictObject({
        period: positiveTime.default(5000).describe('Period of the poll; Fluid’s default is 5 s.'),
        requests: number(0, 1000).default(3).describe('API requests for each pod that is recovered, events included.'),
        events: number(0, 1000).default(1).describe('Events for each pod that is recovered.'),
      })
      .prefault({})
      .describe('A plain poll that binds the mount again.'),
    standby: z
      .strictObject({
        outage: spread.optional().describe('From the end of the connection to the first good read.'),
      })
      .prefault({})
      .describe('A second daemon of each dataset.'),
    takeover: z
      .strictObject({
        outage: spread.optional().describe('From ready to the first answer of the new daemon.'),
        deadline: positiveTime.default(20_000).describe('How long the connection is kept for a new daemon.'),
        waitingSuccessor: z
          .boolean()
          .default(false)
          .describe('Whether a second daemon waits, so that a takeover needs no restart.'),
        keeperMemoryMiB: number(0, 1e6).default(64).describe('Memory of the keeper on each node.'),
      })
      .prefault({})
      .describe('A keeper holds the connection, and the restarted daemon continues on it.'),
    compare: z
      .array(z.enum(allMeans), `a list of ${allMeans.join(', ')}`)
      .min(1, 'a list that is not empty')
      .default([...allMeans])
      .describe('The means of recovery to compare.'),
    measured: z
      .string('the path of a bench.json')
      .min(1, 'the path of a bench.json')
      .optional()
      .describe('A `bench.json` with the agent’s phases, relative to this file. By default the one that is shipped.'),
  })
  .superRefine((fleet, context) => {
    const refuse = (path: readonly string[], message: string) =>
      context.addIssue({ code: 'custom', path: [...path], message, input: fleet });
    if (fleet.podsPerNode < fleet.datasetsPerNode)
      refuse(['datasetsPerNode'], `at most ${fleet.podsPerNode}, because each dataset has a pod on each node`);
    if (fleet.nodes * fleet.podsPerNode > 10_000_000)
      refuse(['podsPerNode'], `at most ${Math.floor(10_000_000 / fleet.nodes)} with this number of nodes`);
    if (fleet.kubelet.maximum < fleet.kubelet.initial)
      refuse(['kubelet', 'maximum'], 'a time that is not below kubelet.initial');
    for (const name of ['daemonUpgrade', 'nodeUpgrade'] as const) {
      const plan = fleet.causes[name];
      if (plan === undefined) continue;
      const most = yearMs / (Math.ceil(fleet.nodes / plan.nodesAtOnce) * plan.takes);
      if (plan.perYear > most)
        refuse(['causes', name, 'perYear'], `at most ${most.toFixed(1)}, because one takes that long with all nodes`);
    }
  });

/** A fleet, with every default filled in. Times are milliseconds. */
export type Fleet = z.infer<typeof schema>;

/** Reads a fleet from YAML. `file` is used only in messages. @throws BadFile with all problems */
export function parseFleet(yaml: string, file: string): Fleet {
  return parseYaml(yaml, file, { schema, name: 'a fleet' });
}

/** The JSON Schema of a fleet as people write it: fields with a default are optional. */
export function fleetJsonSchema() {
  return { ...z.toJSONSchema(schema, { io: 'input' }), title: 'Fleet of Rekindle' };
}
