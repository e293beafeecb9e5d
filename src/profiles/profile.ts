import { z } from 'zod';

/**
 * How an implementation brings data back (field facts, taxonomy): `propagate` mounts on the node and lets propagation carry it
 * into pods, `enter` mounts inside each pod too, `descriptor` keeps the connection open so that calls wait instead of failing,
 * `automount` mounts at the next access, `publish` heals only pods that start later, `none` does nothing.
 */
const recoveryClass = z.enum(['propagate', 'enter', 'descriptor', 'automount', 'publish', 'none']);

const milliseconds = z.number('a number of milliseconds').positive('a number of milliseconds above 0');
const text = z.string('text').min(1, 'text that is not empty');

/** What an implementation promises, and how it is found and driven. Its YAML has the same shape. */
export const profileSchema = z.strictObject({
  /** As in `--profile`. */
  name: z.string('text').regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'lower-case letters, digits and dashes'),
  title: text,
  promises: z.strictObject({
    /** An implementation that promises no recovery conforms by failing in the documented way. */
    recovers: z.boolean(),
    /** What a read-write dataset turns off: itself (`volume`), all recovery (`cluster`), nothing (`recover`). */
    readWriteScope: z.enum(['volume', 'cluster', 'recover']),
    /** `unspecified`: nothing is promised, so nothing is judged. */
    subPath: z.enum(['refuse', 'recover', 'unspecified']),
    class: recoveryClass,
  }),
  /** The longest times that conform. Generous: they tell broken from working, not fast from slow. */
  budgets: z.strictObject({
    /** From the daemon's being ready to the first good read in the pod. */
    readyToReadableMs: milliseconds,
    /** From the crash to the first good read in the pod, the first crash of a daemon that is restarted at once. */
    outageMs: milliseconds,
  }),
  /** How the agent is run where the harness runs it itself, in the sandbox; absent where that is not possible. */
  agent: z
    .strictObject({
      /** Program and first arguments; Rekindle's own agent where absent. */
      command: z.array(text).min(1, 'a list with the program first').optional(),
      /** Further flags. */
      flags: z.array(text).default([]),
    })
    .optional(),
  /** How it is found in a cluster. */
  find: z.strictObject({
    daemonSet: z.strictObject({ namespace: text, name: text, container: text }),
    gate: z.strictObject({ flag: text, name: text }),
    /** Label selector of the FUSE pods; `{dataset}` stands for the dataset's name. */
    fusePods: text,
    /** The process to kill, as the FUSE pod's container numbers it. */
    process: z.number('a process number').int('a whole number').positive('a number above 0'),
  }),
});

export type Profile = z.infer<typeof profileSchema>;
export type Budgets = Profile['budgets'];
