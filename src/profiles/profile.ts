import { z } from 'zod';

const milliseconds = z.number('a number of milliseconds').positive('a number of milliseconds above 0');
const text = z.string('text').min(1, 'text that is not empty');

const promises = z.strictObject({
  recovers: z
    .boolean()
    .describe(
      'Whether data comes back. If not, scenarios that turn recovery on are skipped, and in the others the pod must stay broken as documented.',
    ),
  readWriteScope: z
    .enum(['volume', 'cluster', 'recover'])
    .describe(
      'What a read-write dataset turns off: its own recovery (`volume`), all recovery (`cluster`), nothing (`recover`). With `recover`, scenarios in which it must not be recovered are skipped.',
    ),
  subPath: z
    .enum(['refuse', 'unspecified'])
    .describe(
      'What happens to a pod that mounts a directory of a volume: it is not recovered (`refuse`), or anything (`unspecified`), and the scenarios about it are skipped.',
    ),
  standby: z
    .boolean()
    .default(false)
    .describe(
      'Whether a pod goes on with a standby, a second daemon of its dataset, as soon as its daemon dies. If not, the scenarios about it are skipped.',
    ),
  explainsRefusals: z
    .boolean()
    .default(false)
    .describe(
      'Whether refusals are reported as Rekindle reports them: events with its reasons, its metrics, and warnings and denials of its webhook. If not, nothing asks for them.',
    ),
});

const budgets = z.strictObject({
  readyToReadableMs: milliseconds.describe(
    'From the moment at which the daemon is ready to the first good read in the pod.',
  ),
  outageMs: milliseconds.describe(
    'From the crash to the first good read in the pod, for the first crash of a daemon that is restarted at once.',
  ),
  failoverMs: milliseconds
    .default(1000)
    .describe(
      'From the death of a daemon to the first good read in the pod if a standby is ready, whatever the back-off is.',
    ),
});

const agent = z.strictObject({
  command: z
    .array(text)
    .min(1, 'a list with the program first')
    .optional()
    .describe(
      'Program (an absolute path, or one on the PATH) and first arguments. By default, Rekindle’s own agent. `{node}` is the Node that Rekindle runs with, `{rekindle}/` its folder.',
    ),
  keeperFault: z
    .enum(['loses-a-request', 'hands-over-late'])
    .optional()
    .describe('What the keeper of FUSE connections does wrong, for Rekindle’s own test.'),
});

const find = z.strictObject({
  daemonSet: z
    .strictObject({
      namespace: text.describe('Its namespace.'),
      name: text.describe('Its name.'),
      container: text.describe('The container whose arguments turn the gate FuseRecovery on and off.'),
    })
    .describe('The installed node plugin, which is judged as it is; only its gate is changed.'),
});

/** What an implementation promises, and how it is found and driven. Its YAML has the same shape. */
export const profileSchema = z.strictObject({
  name: z
    .string('text')
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and dashes')
    .describe('Its name in records and reports.'),
  title: text.describe('Its name for people.'),
  promises: promises.describe('What is judged.'),
  periodMs: milliseconds
    .default(5_000)
    .describe(
      'How often it looks for dead mounts without being notified. What must not happen is watched for twice as long, and for 10 s at least.',
    ),
  budgets: budgets.describe(
    'The longest times that conform. They should be generous: they separate broken from working, not fast from slow.',
  ),
  agent: agent.optional().describe('How Rekindle runs the agent in a cluster that it creates. Absent if it cannot.'),
  find: find
    .optional()
    .describe('How it is found in an existing cluster. If absent, Rekindle’s own agent is deployed there.'),
});

export type Profile = z.infer<typeof profileSchema>;
export type Budgets = Profile['budgets'];

/** The JSON Schema of a profile as people write it: fields with a default are optional. */
export function profileJsonSchema() {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'Profile of Rekindle' };
}
