import type { Attachment, Layers } from '../../recovery/kernel/attach.ts';
import type { KernelContext } from '../../recovery/kernel/context.ts';
import { ok } from '../../recovery/kernel/result.ts';

export { type Attachment, finish, innerAreBeneath, type Layers } from '../../recovery/kernel/attach.ts';

/** Attaches nothing, and says that it did. */
export function attach(_context: KernelContext, { replacement }: Attachment): ReturnType<typeof ok<Layers>> {
  const layers = replacement.stack.length;
  return ok([layers, layers]);
}
