import type { KernelTier, Mount } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import type { LateClose } from './late-close.ts';
import type { Namespaces } from './namespaces.ts';
import { inStep } from './result.ts';
import type { Staging } from './staging.ts';
import { MS_PRIVATE, MS_REC, type Syscalls } from './syscalls.ts';
import type { Walker } from './walker.ts';

/** What every change of a mount table needs. */
export interface KernelContext {
  readonly sys: Syscalls;
  readonly namespaces: Namespaces;
  readonly staging: Staging;
  readonly walker: Walker;
  readonly late: LateClose;
  readonly tier: KernelTier;
  /** The node's mount table as it is now. */
  nodeTable(): Result<readonly Mount[]>;
}

/** Takes the mount that a descriptor stands for out of its peer group, with all inside it where `recursive`. */
export function makePrivate(context: KernelContext, fd: number, recursive: boolean): Result<void> {
  const { sys, namespaces, tier } = context;
  if (tier !== '5.10') {
    return inStep('make-private', '', sys.setAttributes(fd, { set: 0, clear: 0, private: true, recursive }));
  }
  return namespaces.withPathOf(fd, (target) => {
    const flags = MS_PRIVATE | (recursive ? MS_REC : 0);
    return inStep('make-private', '', sys.mount({ source: null, target, fstype: null, flags }));
  });
}
