import type { Attachment, Layers } from '../../recovery/linux/attach.ts';
import type { KernelContext } from '../../recovery/linux/context.ts';
import { ok } from '../../recovery/linux/result.ts';

export { type Attachment, finish, innerAreBeneath, type Layers } from '../../recovery/linux/attach.ts';

/** Attaches nothing, and says that it did. */
export function attach(_context: KernelContext, { replacement }: Attachment): ReturnType<typeof ok<Layers>> {
  const layers = replacement.stack.length;
  return ok([layers, layers]);
}
