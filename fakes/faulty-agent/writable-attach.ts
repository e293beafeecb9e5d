import { attach as real } from '../../recovery/linux/attach.ts';
import { MOUNT_ATTR_RDONLY } from '../../recovery/linux/syscalls.ts';

export { type Attachment, finish, innerAreBeneath, type Layers } from '../../recovery/linux/attach.ts';

/** Long enough for a writer that tries again and again. */
const instantMs = 40;

/** Attaches what is to be read-only writable, and changes that once it is seen, as a bind mount that is remounted does. */
export const attach: typeof real = (context, attachment, table) => {
  const { tree, replacement } = attachment;
  const readOnly = replacement.readOnly || replacement.stack.at(-1)?.options.includes('ro');
  const none = { set: 0, clear: 0, private: true, recursive: false };
  if (readOnly) context.sys.setAttributes(tree, { ...none, clear: MOUNT_ATTR_RDONLY });
  const attached = real(context, attachment, table);
  if (!readOnly) return attached;
  // Nothing else is done meanwhile: the mount namespace is that of the pod.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, instantMs);
  context.sys.setAttributes(tree, { ...none, set: MOUNT_ATTR_RDONLY });
  return attached;
};
