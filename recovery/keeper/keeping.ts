import type { DeviceId, Nanoseconds } from '../engine/model.ts';

/** A process that is connected to the socket of a volume. One process may have several connections. */
export interface Peer {
  readonly connection: number;
  readonly pid: number;
}

/** The /dev/fuse descriptor of a volume. */
export interface KeptDescriptor {
  readonly descriptor: number;
  /** What the daemon sent with it, for the next one. */
  readonly setting: string;
  /** Undefined if neither the kernel (before 6.16) nor the daemon names it. */
  readonly device: DeviceId | undefined;
}

/** What the keeper knows of one volume. */
export interface Keeping {
  readonly kept: KeptDescriptor | undefined;
  /** The process that serves the connection or was handed it last. */
  readonly holder: Peer | undefined;
  /** Connected processes that serve nothing, the longest-waiting first. */
  readonly successors: readonly Peer[];
  /** Since when no daemon has served the connection: until one confirms that it does. */
  readonly orphanedAt: Nanoseconds | undefined;
}

export type KeepingEvent =
  | { readonly kind: 'connected'; readonly peer: Peer }
  | { readonly kind: 'offered'; readonly peer: Peer; readonly kept: KeptDescriptor }
  /** The daemon asked that its descriptor be closed here. */
  | { readonly kind: 'released'; readonly peer: Peer }
  /** The socket was closed; the process may live on and serve. */
  | { readonly kind: 'disconnected'; readonly peer: Peer }
  | { readonly kind: 'exited'; readonly peer: Peer }
  /** The connection to the kernel has ended: it was aborted, or its last mount is gone. */
  | { readonly kind: 'ended' }
  /** The deadline may have passed. */
  | { readonly kind: 'tick' };

export type KeepingEffect =
  | { readonly kind: 'greet'; readonly peer: Peer; readonly message: 'nothing' | 'wait' }
  /** Asks the kernel to send unanswered requests again, then sends the descriptor. */
  | { readonly kind: 'hand-over'; readonly peer: Peer; readonly kept: KeptDescriptor }
  | { readonly kind: 'refuse'; readonly peer: Peer; readonly sentence: string }
  | { readonly kind: 'close'; readonly descriptor: number }
  | { readonly kind: 'report'; readonly event: KeeperReport; readonly pid?: number; readonly device?: DeviceId };

/** What the keeper's log says of a volume. */
export type KeeperReport =
  | 'kept'
  | 'orphaned'
  | 'handed-over'
  | 'served'
  | 'given-up'
  | 'connection-ended'
  | 'released';

export interface KeepingStep {
  readonly keeping: Keeping;
  readonly effects: readonly KeepingEffect[];
}

export const emptyKeeping: Keeping = { kept: undefined, holder: undefined, successors: [], orphanedAt: undefined };

/** What one event changes. `deadline`: how long a connection without a daemon is kept. Pure. */
export function stepKeeping(
  keeping: Keeping,
  event: KeepingEvent,
  { now, deadline }: { readonly now: Nanoseconds; readonly deadline: Nanoseconds },
): KeepingStep {
  switch (event.kind) {
    case 'connected':
      return connected(keeping, event.peer);
    case 'offered':
      return offered(keeping, event.peer, event.kept);
    case 'released':
      if (keeping.holder?.pid !== event.peer.pid) return unchanged(keeping);
      return drop(keeping, 'released');
    case 'disconnected':
      return unchanged(without(keeping, ({ connection }) => connection === event.peer.connection));
    case 'exited':
      return exited(keeping, event.peer, now);
    case 'ended':
      return greetNext(drop(keeping, 'connection-ended'));
    case 'tick':
      if (keeping.orphanedAt === undefined || now - keeping.orphanedAt < deadline) return unchanged(keeping);
      // A process that has been handed the connection since has not confirmed that it serves it.
      return drop(keeping, 'given-up', keeping.holder);
  }
}

function connected(keeping: Keeping, peer: Peer): KeepingStep {
  const { kept, holder, successors } = keeping;
  if (holder?.pid === peer.pid) return step(keeping, greet(peer, 'nothing'));
  if (kept !== undefined && holder === undefined) return handOver(keeping, kept, peer);
  // If nothing is kept, the first of them is about to mount.
  if (successors.length > (kept === undefined ? 1 : 0)) {
    const sentence = `process ${successors.at(-1)?.pid} waits already as the successor of this volume's daemon: run one standby daemon of a volume at most`;
    return step(keeping, { kind: 'refuse', peer, sentence });
  }
  const mayMount = kept === undefined && successors.length === 0;
  return step({ ...keeping, successors: [...successors, peer] }, greet(peer, mayMount ? 'nothing' : 'wait'));
}

function offered(keeping: Keeping, peer: Peer, kept: KeptDescriptor): KeepingStep {
  const { kept: before, holder, orphanedAt } = keeping;
  if (before !== undefined && holder !== undefined && holder.pid !== peer.pid) {
    const sentence = `process ${holder.pid} serves this volume, so the descriptor of process ${peer.pid} is not kept: stop one of the two daemons`;
    return step(keeping, { kind: 'close', descriptor: kept.descriptor }, { kind: 'refuse', peer, sentence });
  }
  const rest = without(keeping, ({ pid }) => pid === peer.pid);
  const closing = before === undefined ? [] : [{ kind: 'close', descriptor: before.descriptor } as const];
  const isTakeover = orphanedAt !== undefined && holder !== undefined;
  return step(
    { ...rest, kept, holder: peer, orphanedAt: undefined },
    ...closing,
    report(isTakeover ? 'served' : 'kept', kept, peer),
  );
}

function exited(keeping: Keeping, peer: Peer, now: Nanoseconds): KeepingStep {
  const rest = without(keeping, ({ pid }) => pid === peer.pid);
  if (rest.holder?.pid !== peer.pid) {
    const hasGivenWay = rest.kept === undefined && keeping.successors[0]?.pid === peer.pid;
    return hasGivenWay ? greetNext(unchanged(rest)) : unchanged(rest);
  }
  const { kept, orphanedAt = now, successors } = rest;
  if (kept === undefined) return greetNext(unchanged({ ...rest, holder: undefined, orphanedAt: undefined }));
  const orphan = { ...rest, holder: undefined, orphanedAt };
  const orphaned = report('orphaned', kept, peer);
  const [successor] = successors;
  if (successor === undefined) return step(orphan, orphaned);
  const { keeping: next, effects } = handOver(orphan, kept, successor);
  return step(next, orphaned, ...effects);
}

function handOver(keeping: Keeping, kept: KeptDescriptor, peer: Peer): KeepingStep {
  const next = { ...without(keeping, ({ pid }) => pid === peer.pid), holder: peer };
  return step(next, { kind: 'hand-over', peer, kept }, report('handed-over', kept, peer));
}

/** Closes the descriptor. The process that holds it stays the holder, as it may serve the connection without the keeper. */
function drop(keeping: Keeping, reason: KeeperReport, peer?: Peer): KeepingStep {
  const { kept } = keeping;
  const dropped = { ...keeping, kept: undefined, orphanedAt: undefined };
  if (kept === undefined) return unchanged(dropped);
  return step(dropped, { kind: 'close', descriptor: kept.descriptor }, report(reason, kept, peer));
}

/** Lets the first successor mount, as there is nothing to take over. */
function greetNext({ keeping, effects }: KeepingStep): KeepingStep {
  const [successor] = keeping.successors;
  return successor === undefined ? { keeping, effects } : step(keeping, ...effects, greet(successor, 'nothing'));
}

const greet = (peer: Peer, message: 'nothing' | 'wait'): KeepingEffect => ({ kind: 'greet', peer, message });

function report(event: KeeperReport, { device }: KeptDescriptor, peer?: Peer): KeepingEffect {
  return {
    kind: 'report',
    event,
    ...(peer === undefined ? {} : { pid: peer.pid }),
    ...(device === undefined ? {} : { device }),
  };
}

function without(keeping: Keeping, isMatch: (peer: Peer) => boolean): Keeping {
  return { ...keeping, successors: keeping.successors.filter((each) => !isMatch(each)) };
}

const step = (keeping: Keeping, ...effects: readonly KeepingEffect[]): KeepingStep => ({ keeping, effects });

const unchanged = (keeping: Keeping): KeepingStep => step(keeping);
