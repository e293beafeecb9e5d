import { z } from 'zod';

const classes = {
  propagate: 'mounts on the node, and propagation carries it into pods',
  enter: 'mounts inside each pod too',
  descriptor: 'keeps the connection open, so that calls wait instead of failing',
  automount: 'mounts at the next access',
  publish: 'heals only pods that start later',
  none: 'does nothing',
} as const;

const meanings = Object.entries(classes).map(([name, meaning]) => `\`${name}\` ${meaning}`);

const milliseconds = z.number('a number of milliseconds').positive('a number of milliseconds above 0');
const text = z.string('text').min(1, 'text that is not empty');

const promises = z.strictObject({
  recovers: z
    .boolean()
    .describe(
      'Whether data comes back. Where it does not, scenarios that turn recovery on are skipped, and the others have to stay broken as documented.',
    ),
  readWriteScope: z
    .enum(['volume', 'cluster', 'recover'])
    .describe('What a read-write dataset turns off: itself (`volume`), all recovery (`cluster`), nothing (`recover`).'),
  subPath: z
    .enum(['refuse', 'recover', 'unspecified'])
    .describe('What becomes of a pod that mounts a directory of a volume; where `unspecified`, nothing is judged.'),
  class: z
    .enum(Object.keys(classes) as [keyof typeof classes])
    .describe(`How data is brought back: ${meanings.join('; ')}.`),
});

const budgets = z.strictObject({
  readyToReadableMs: milliseconds.describe('From the daemon’s being ready to the first good read in the pod.'),
  outageMs: milliseconds.describe(
    'From the crash to the first good read in the pod, for the first crash of a daemon that is restarted at once.',
  ),
});

const agent = z.strictObject({
  command: z
    .array(text)
    .min(1, 'a list with the program first')
    .optional()
    .describe(
      'Program (an absolute path, or one on the PATH) and first arguments; Rekindle’s own agent where absent. `{node}` is the Node that Rekindle runs with, `{rekindle}/` its folder.',
    ),
  flags: z.array(text).default([]).describe('Further flags.'),
});

const find = z.strictObject({
  daemonSet: z
    .strictObject({
      namespace: text.describe('Its namespace.'),
      name: text.describe('Its name.'),
      container: text.describe('The container that has the gate’s flag.'),
    })
    .describe('The node plugin.'),
  gate: z
    .strictObject({
      flag: text.describe('The flag, as in `--feature-gates`.'),
      name: text.describe('The gate’s name in it, as in `FuseRecovery`.'),
    })
    .describe('What turns recovery on and off.'),
  fusePods: text.describe('Label selector of the FUSE pods; `{dataset}` stands for the dataset’s name.'),
  process: z
    .number('a process number')
    .int('a whole number')
    .positive('a number above 0')
    .describe('The process to kill, as the FUSE pod’s container numbers it.'),
});

/** What an implementation promises, and how it is found and driven. Its YAML has the same shape. */
export const profileSchema = z.strictObject({
  name: z
    .string('text')
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and dashes')
    .describe('As records and reports have it.'),
  title: text.describe('As people call it.'),
  promises: promises.describe('What is judged.'),
  periodMs: milliseconds
    .default(5_000)
    .describe(
      'How often it looks for dead mounts without being notified. What must not happen is watched for twice as long, and for 10 s at least.',
    ),
  budgets: budgets.describe(
    'The longest times that conform. Generous ones are right: they tell broken from working, not fast from slow.',
  ),
  agent: agent
    .optional()
    .describe('How the agent is run where Rekindle runs it itself, in the sandbox; absent where that is not possible.'),
  find: find.describe('How it is found in a cluster.'),
});

export type Profile = z.infer<typeof profileSchema>;
export type Budgets = Profile['budgets'];

/** The JSON Schema of a profile as people write it: fields with a default are optional. */
export function profileJsonSchema() {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'Profile of Rekindle' };
}
