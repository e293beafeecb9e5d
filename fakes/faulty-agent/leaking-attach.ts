import { attach as real } from '../../recovery/linux/attach.ts';
import { done } from '../../recovery/linux/result.ts';

export { type Attachment, finish, innerAreBeneath, type Layers } from '../../recovery/linux/attach.ts';

/** Attaches on top of the dead mount, and leaves that where it is. */
export const attach: typeof real = (context, attachment, table) => {
  const sys: typeof context.sys = {
    ...context.sys,
    moveMount: (from, { at, path }) => context.sys.moveMount(from, { at, path }),
  };
  const namespaces = { ...context.namespaces, detach: () => done };
  return real({ ...context, sys, namespaces }, attachment, table);
};
