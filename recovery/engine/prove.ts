import type { Journal } from './journal.ts';
import type { Memory, Unverified } from './memory.ts';
import type { Nanoseconds, NodeView } from './model.ts';
import type { Look } from './observe.ts';
import { isGone, siteKey } from './places.ts';
import type { ClockPort, KernelPort, Recorder } from './ports.ts';
import { verify } from './verify.ts';

export interface ProveParts {
  readonly kernel: Pick<KernelPort, 'read'>;
  readonly clock: ClockPort;
  readonly recorder: Recorder;
  readonly journal: Journal;
  /** How long whoever waits for the sites is let read before. */
  readonly pause: Nanoseconds;
  /** How long a read may take. */
  readonly deadline: Nanoseconds;
  readonly isStopped: () => boolean;
  /** Tables as they are now, containers included. */
  readonly lookAgain: () => Look | undefined;
}

/**
 * Reads in all the sites at once and says of each, as soon as it is known, `recovered` or `failed`. The volume's lock is not
 * held meanwhile: a daemon that hangs must not keep a pod from being unpublished. A site that is gone by then, with its pod
 * as a rule, is neither.
 */
export async function prove(
  parts: ProveParts,
  memory: Memory,
  view: Pick<NodeView, 'containers'>,
  unproven: readonly Unverified[],
): Promise<void> {
  const { kernel, clock, recorder, journal, pause } = parts;
  for (const each of unproven) each.proving = true;
  if (unproven.length > 0 && pause > 0n) await new Promise<void>((resolve) => void clock.after(pause, resolve));
  if (parts.isStopped()) return;
  const deadline = (clock.now() + parts.deadline) as Nanoseconds;
  // A connection is read by one at a time, and it is the containers that wait.
  const inside = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'container');
  const onNode = unproven.filter(({ diagnosis }) => diagnosis.site.kind === 'target');
  await Promise.all([...inside, ...onNode].map(one));

  async function one(each: Unverified): Promise<void> {
    const { diagnosis, source, began } = each;
    const { volume, site } = diagnosis;
    const key = siteKey(site);
    const failure = await verify(kernel, view, { site, source }, deadline);
    each.proving = false;
    const isLatest = memory.unverified.get(key) === each;
    if (failure === undefined) {
      if (isLatest) memory.unverified.delete(key);
      recorder({ event: 'recovered', volume, site, took: (clock.now() - began) as Nanoseconds });
      return;
    }
    const now = parts.lookAgain();
    if (now !== undefined && isGone(now, site)) {
      if (isLatest) memory.unverified.delete(key);
      return;
    }
    journal.failed(diagnosis, failure);
  }
}
