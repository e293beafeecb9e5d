import { z } from 'zod';

const time = z.iso.datetime();

const daemon = z.strictObject({
  path: z.string().describe('Its source mount on the node.'),
  state: z
    .enum(['live', 'dead', 'hung', 'kept', 'unknown', 'absent'])
    .describe('How it answered when it was last asked.'),
  since: time.describe('Since when; not earlier than `agent.startedAt`.'),
  errno: z.string().optional().describe('Of a dead or unknown one.'),
});

const mount = z.strictObject({
  namespace: z.string(),
  pod: z.string(),
  podUid: z.string(),
  container: z
    .string()
    .optional()
    .describe('Missing for the target path, where the pod’s containers get the volume from.'),
  path: z.string().describe('In the container, or of the target path on the node.'),
  state: z
    .enum([
      'healthy',
      'replaced',
      'dead',
      'hung',
      'kept',
      'orphaned',
      'half-done',
      'gone',
      'unknown',
      'contested',
      'unfound',
    ])
    .describe('`healthy` is readable; `replaced` shows a live daemon, but no read of the consumer has succeeded yet.'),
  since: time,
  lastRecovery: z
    .object({
      at: time,
      outageMs: z.number().describe('From when its daemon was found dead to the first proven read.'),
    })
    .optional(),
  reason: z.string().optional().describe('Why it is left alone.'),
  detail: z.string().optional().describe('What is wrong, and what can be done about it.'),
});

const node = z.strictObject({
  schemaVersion: z.literal(1),
  node: z.string(),
  agent: z.strictObject({
    version: z.string(),
    kernelTier: z.enum(['6.5', '5.12', '5.10']),
    recovery: z.boolean().describe('The gate FuseRecovery.'),
    startedAt: time,
    problems: z.array(z.string()).describe('What it waits for; the rest may be incomplete then.'),
  }),
  volumes: z.array(
    z.strictObject({
      name: z.string(),
      dataset: z.strictObject({ namespace: z.string(), name: z.string() }).optional(),
      daemons: z.array(daemon),
      mounts: z.array(mount),
    }),
  ),
});

const clusterStatus = z.strictObject({
  schemaVersion: z.literal(1),
  takenAt: time,
  nodes: z.array(node),
  unreachable: z
    .array(z.strictObject({ node: z.string(), error: z.string() }))
    .describe('Nodes whose agent did not answer; their mounts are missing above.'),
});

/** What `rekindle status -o json` prints. */
export type ClusterStatus = z.infer<typeof clusterStatus>;
export type MountStatus = z.infer<typeof mount>;
export type VolumeOfNode = z.infer<typeof node>['volumes'][number];

/** @throws ZodError if it is not the answer of an agent of this version. */
export const parseNodeStatus = (value: unknown): z.infer<typeof node> => node.parse(value);

export const statusJsonSchema = () => z.toJSONSchema(clusterStatus);

/** Whether the consumer of a mount can read it, as far as the agent knows. */
export const isReadable = ({ state }: Pick<MountStatus, 'state'>): boolean =>
  state === 'healthy' || state === 'replaced';
