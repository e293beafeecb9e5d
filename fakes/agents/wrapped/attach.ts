import { attach as attachReal } from '../../../recovery/linux/attach.ts';
import { openPath } from '../../../recovery/linux/context.ts';
import { done, ok } from '../../../recovery/linux/result.ts';
import { MOUNT_ATTR_RDONLY } from '../../../recovery/linux/syscalls.ts';

export * from '../../../recovery/linux/attach.ts';

type Attach = typeof attachReal;

/** Long enough for a writer that retries continuously to succeed. */
const writableMs = 40;

/** Attaches nothing and reports success. */
const attachNothing: Attach = (_context, { replacement }) => {
  const layers = replacement.stack.length;
  return ok([layers, layers]);
};

/** Attaches on top of the dead mount and never detaches that one. */
const attachOnTop: Attach = (context, attachment, table) => {
  const sys: typeof context.sys = {
    ...context.sys,
    moveMount: (from, { at, path }) => context.sys.moveMount(from, { at, path }),
  };
  const namespaces = { ...context.namespaces, detach: () => done };
  return attachReal({ ...context, sys, namespaces }, attachment, table);
};

/** Attaches a read-only mount as writable and makes it read-only afterwards, as remounting a bind mount does. */
const attachWritable: Attach = (context, attachment, table) => {
  const { tree, replacement } = attachment;
  const readOnly = replacement.readOnly || replacement.stack.at(-1)?.options.includes('ro');
  const none = { set: 0, clear: 0, private: true, recursive: false };
  if (readOnly) context.sys.setAttributes(tree, { ...none, clear: MOUNT_ATTR_RDONLY });
  const attached = attachReal(context, attachment, table);
  if (!readOnly) return attached;
  // Blocks the event loop: this thread is in the pod's mount namespace and must do nothing else there.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, writableMs);
  context.sys.setAttributes(tree, { ...none, set: MOUNT_ATTR_RDONLY });
  return attached;
};

let attachments = 0;

/** Attaches every second mount as writable. */
const attachHalfWritable: Attach = (context, attachment, table) => {
  attachments += 1;
  const none = { set: 0, clear: 0, private: true, recursive: false };
  if (attachments % 2 === 0) context.sys.setAttributes(attachment.tree, { ...none, clear: MOUNT_ATTR_RDONLY });
  return attachReal(context, attachment, table);
};

/** Detaches the dead mount and attaches nothing, so that the directory beneath it shows. */
const detachOnly: Attach = (context, { replacement: { stack } }) => {
  const top = openPath(context, stack.at(-1)?.mountPoint ?? '');
  if (!top.ok) return top;
  const detached = context.namespaces.detach(top.value);
  context.sys.close(top.value);
  return detached.ok ? ok([stack.length, stack.length - 1]) : detached;
};

const variants: Readonly<Record<string, Attach>> = {
  nothing: attachNothing,
  'on-top': attachOnTop,
  writable: attachWritable,
  'half-writable': attachHalfWritable,
  'detach-only': detachOnly,
};

/** Chosen by the query of this module's URL: `?nothing`, `?on-top`, `?writable`, `?half-writable` or `?detach-only`. */
export const attach: Attach = variants[new URL(import.meta.url).search.slice(1)] ?? attachReal;
