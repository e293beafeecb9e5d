import { z } from 'zod';
import { agentPlaceholders, placeholdersIn, processPlaceholders, volumePlaceholders } from './template.ts';
import { commonObjects } from './volume-objects.ts';

const milliseconds = z.number('a number of milliseconds').positive('a number of milliseconds above 0');
const text = z.string('text').min(1, 'text that is not empty');

/** Classes of recovery in which a running pod has its data again, and those in which only a new pod has. */
const recovering = ['rebind', 'enter', 'propagate', 'descriptor', 'automount'] as const;
const lasting = ['publish', 'none'] as const;

/** Whether a running pod has its data again after the death of a FUSE process. */
export const recovers = ({ class: promised }: Pick<Profile['promises'], 'class'>): boolean =>
  recovering.some((each) => each === promised);

const promises = z.strictObject({
  class: z
    .enum([...recovering, ...lasting])
    .describe(
      'How data comes back. After errors: the node plugin mounts again for each pod (`rebind`), also inside containers (`enter`), or pods with `HostToContainer` see the new mount (`propagate`). After waiting: the connection is kept (`descriptor`), or the next access mounts (`automount`). Not in this pod: only a new pod has data (`publish`, `none`).',
    ),
  readWriteScope: z
    .enum(['volume', 'cluster', 'recover'])
    .default('recover')
    .describe(
      'What a read-write dataset turns off: its own recovery (`volume`), all recovery (`cluster`), nothing (`recover`). With `recover`, scenarios in which it must not be recovered are skipped.',
    ),
  subPath: z
    .enum(['refuse', 'recover', 'unspecified'])
    .default('unspecified')
    .describe(
      'What happens to a pod that mounts a directory of a volume: it is not recovered (`refuse`), it sees what `class` says (`recover`), or anything (`unspecified`), and the scenarios about it are skipped.',
    ),
  writes: z
    .enum(['durable', 'unspecified'])
    .default('unspecified')
    .describe(
      'What becomes of what a pod writes: all that fsync has acknowledged is there after the death of the FUSE process, and nothing is written beneath the mount (`durable`), or anything (`unspecified`), and the scenarios about it are skipped.',
    ),
  standby: z
    .boolean()
    .default(false)
    .describe(
      'Whether a pod continues with a standby, a second daemon of its dataset, as soon as its daemon dies. If not, the scenarios about it are skipped.',
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
  stallMs: milliseconds
    .default(5000)
    .describe(
      'How long a call may wait if a new daemon takes the connection of a dead one over, as with the class `descriptor`. A call that outlives several daemons may wait so long for each.',
    ),
});

const agent = z.strictObject({
  command: z
    .array(text)
    .min(1, 'a list with the program first')
    .optional()
    .describe(
      'Program (a path, or a name on the PATH) and all of its arguments; nothing is added. By default, Rekindle’s own agent. `{nodeName}`, `{socket}` (the path of the CSI socket that it must serve), `{kubeconfig}` (a path), `{kubeletRoot}`, `{mountRoot}` and `{gate}` (`true` or `false`; without a gate, the argument is left out) have values. `{flags}` stands for all flags of Rekindle’s agent, `{node}` for the Node that Rekindle runs with, `{rekindle}/` for its folder.',
    ),
  environment: z
    .record(text, z.string('text'))
    .optional()
    .describe('Variables of the program, with the same values, in addition to PATH and HOME.'),
  files: z
    .record(text.startsWith('/', 'absolute paths'), text)
    .optional()
    .describe(
      'Programs that its image would have: paths in its root, and for each a path on this machine, or a name on the PATH.',
    ),
  keeperFault: z
    .enum(['loses-a-request', 'hands-over-late'])
    .optional()
    .describe('What the keeper of FUSE connections does wrong, for Rekindle’s own test.'),
});

/** An object as `kubectl apply` takes it. */
const manifest = z.looseObject({
  apiVersion: text,
  kind: text,
  metadata: z.looseObject({ name: text }),
});

const command = z.array(text).min(1, 'a list with the program first');

const texts = z.record(text, z.string('text'));

const volume = z
  .strictObject({
    driver: text.describe('Name of the CSI driver, as its CSIDriver object has it.'),
    accessMode: z
      .enum(['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce'])
      .default('ReadWriteMany')
      .describe('Of the volume and its claim, unless `objects` are given.'),
    attributes: texts
      .optional()
      .describe(
        '`volumeAttributes`: each volume is a PersistentVolume with its claim, created by hand. Texts in them, in `parameters`, `secret` and `objects` may have the placeholders `{namespace}`, `{name}` and `{directory}` (`{namespace}/{name}`, in the bucket), and `{endpoint}`, `{bucket}`, `{accessKeyId}` and `{secretAccessKey}` of the object store.',
      ),
    parameters: texts.optional().describe('Instead: each volume is a claim, for a StorageClass with these parameters.'),
    secret: texts
      .optional()
      .describe(
        'With `attributes` or `parameters`: what the driver gets as secrets when it creates, stages and publishes a volume.',
      ),
    objects: z
      .array(manifest)
      .optional()
      .describe('Instead of both: all objects that are created for each volume, in this order.'),
    source: z
      .looseObject({})
      .default({ persistentVolumeClaim: { claimName: '{name}' } })
      .describe('The volume in the pod: `persistentVolumeClaim` or `csi`, with the same placeholders.'),
  })
  .refine(
    ({ attributes, parameters, objects }) =>
      [attributes, parameters, objects].filter((each) => each !== undefined).length === 1,
    'exactly one of attributes, parameters, objects',
  )
  .transform(({ driver, source, objects, ...parts }) => ({
    driver,
    source,
    objects: objects ?? commonObjects({ driver, ...parts }),
  }));

const podNeeds = z.strictObject({
  labels: z.record(text, text).default({}).describe('Labels that a pod needs in order to be recovered.'),
  annotations: z.record(text, text).default({}).describe('Annotations that it needs.'),
  propagation: z
    .enum(['None', 'HostToContainer'])
    .default('None')
    .describe('`mountPropagation` of its mount. With the class `propagate`, a pod without it must stay broken.'),
});

const pattern = text.refine((source) => compiles(source), 'a regular expression');

const fuseProcess = z
  .strictObject({
    pod: z
      .strictObject({
        namespace: text.describe('Its namespace.'),
        selector: text.describe('Its labels, as `kubectl get --selector` takes them.'),
        container: text.describe('Its container, whose process 1 serves the volume.'),
      })
      .optional()
      .describe('The FUSE process is process 1 of a container in a pod of its own.'),
    plugin: pattern
      .optional()
      .describe('It is a process of the node plugin, which ends with it: a regular expression for its command line.'),
    host: pattern.optional().describe('It is a process of the node: a regular expression for its command line.'),
  })
  .refine((places) => Object.keys(places).length === 1, 'exactly one of pod, plugin, host');

function compiles(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

const find = z.strictObject({
  daemonSet: z
    .strictObject({
      namespace: text.describe('Its namespace.'),
      name: text.describe('Its name.'),
      container: text.describe('The container whose arguments turn the gate FuseRecovery on and off.'),
    })
    .describe('The installed node plugin, which is judged as it is; only its gate is changed.'),
});

const profileFields = z.strictObject({
  version: z.literal(2).describe('Of this format: `2`.'),
  name: z
    .string('text')
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and dashes')
    .describe('Its name in records and reports.'),
  title: text.optional().describe('Its name for people. By default, the name.'),
  promises: promises.describe('What is judged.'),
  periodMs: milliseconds
    .default(5_000)
    .describe(
      'How often it looks for dead mounts without being notified. What must not happen is watched for twice as long, and for 10 s at least.',
    ),
  budgets: budgets
    .prefault({ readyToReadableMs: 15_000, outageMs: 60_000 })
    .describe(
      'The longest times that conform. They should be generous: they separate broken from working, not fast from slow.',
    ),
  volume: volume
    .optional()
    .describe('How a volume is created. By default, the Dataset and the JindoRuntime of the document.'),
  fill: z
    .enum(['store', 'pod'])
    .default('store')
    .describe(
      'How its files come into it: they are put into the object store, below `{directory}` (`store`), or written by a pod that has the volume (`pod`).',
    ),
  pod: podNeeds.prefault({}).describe('What a pod needs, if the volume is not a Dataset.'),
  process: fuseProcess
    .optional()
    .describe(
      'Where the FUSE process of a volume is. Texts may have the placeholders `{namespace}` and `{name}`, `{volume}` (the name of the PersistentVolume) and `{pod}` (the UID of the pod). Required with `volume`.',
    ),
  restartedBy: z
    .enum(['kubelet', 'plugin', 'systemd', 'nobody'])
    .default('kubelet')
    .describe('What starts the FUSE process again after its death.'),
  gate: z
    .enum(['FuseRecovery', 'none'])
    .optional()
    .describe(
      'The feature gate of the node plugin that turns recovery on. Without one, scenarios that turn it off are skipped. By default, `none` with a `volume`, and otherwise `FuseRecovery`.',
    ),
  commands: z
    .strictObject({
      before: z
        .array(command)
        .default([])
        .describe('Before anything is created, in this order. One that fails ends the run.'),
      after: z.array(command).default([]).describe('At the end, in this order, also of a run that has failed.'),
    })
    .prefault({})
    .describe(
      'Programs that are run on this machine, with their arguments: for example, to start a metadata server. They have the environment and the working directory of `rekindle`.',
    ),
  agent: agent.optional().describe('How Rekindle runs the agent in a cluster that it creates. Absent if it cannot.'),
  find: find
    .optional()
    .describe('How it is found in an existing cluster. If absent, Rekindle’s own agent is deployed there.'),
});

/** Reports fields that make no sense together, and placeholders that have no value. */
function refuseContradictions(
  {
    agent: program,
    volume: own,
    fill,
    pod: needs,
    process: fuse,
    promises: { class: promised },
    restartedBy,
  }: z.infer<typeof profileFields>,
  context: z.RefinementCtx,
): void {
  const refuse = (path: readonly string[], message: string) =>
    context.addIssue({ code: 'custom', path: [...path], message });
  if (own && !fuse) refuse(['process'], 'a map with one of pod, plugin, host, because there is a volume');
  if (!own && fuse) refuse(['process'], 'no process without a volume: that of a Dataset is known');
  if (!own && fill === 'pod') refuse(['fill'], 'store, because the files of a Dataset are in the object store');
  const { labels, annotations, propagation } = needs;
  if (!own && (propagation !== 'None' || Object.keys({ ...labels, ...annotations }).length > 0))
    refuse(['pod'], 'no needs without a volume: those of a pod with a Dataset are known');
  if (!program?.command && (program?.environment || program?.files))
    refuse(['agent'], 'environment and files only with a command: Rekindle’s own agent has its own');
  if (restartedBy === 'nobody' && recovers({ class: promised }))
    refuse(['restartedBy'], `kubelet, plugin or systemd, because promises.class is ${promised}`);
  const unknown = (value: unknown, known: readonly string[]) =>
    placeholdersIn(value).filter((each) => !known.includes(each));
  const [inVolume] = unknown([own?.objects, own?.source], volumePlaceholders);
  if (inVolume) refuse(['volume'], `only the placeholders ${format(volumePlaceholders)}, and not {${inVolume}}`);
  const [inProcess] = unknown(fuse, processPlaceholders);
  if (inProcess) refuse(['process'], `only the placeholders ${format(processPlaceholders)}, and not {${inProcess}}`);
  const [inAgent] = unknown([program?.command, program?.environment], agentPlaceholders);
  if (inAgent) refuse(['agent'], `only the placeholders ${format(agentPlaceholders)}, and not {${inAgent}}`);
}

const format = (names: readonly string[]) => names.map((name) => `{${name}}`).join(', ');

/** What an implementation promises, and how it is found and driven. Its YAML has the same shape. */
export const profileSchema = profileFields
  .superRefine(refuseContradictions)
  .transform(({ title, gate, ...profile }) => ({
    ...profile,
    title: title ?? profile.name,
    gate: gate ?? (profile.volume ? ('none' as const) : ('FuseRecovery' as const)),
  }));

export type Profile = z.infer<typeof profileSchema>;
export type Budgets = Profile['budgets'];

/** The JSON Schema of a profile as people write it: fields with a default are optional. */
export function profileJsonSchema() {
  return { ...z.toJSONSchema(profileSchema, { io: 'input' }), title: 'Profile of Rekindle' };
}
