import type { Answers } from './answers.ts';
import type { Container, DeviceId, Nanoseconds } from './model.ts';
import { type Look, type LookOptions, look } from './observe.ts';
import type { ContainerScope, Result } from './ports.ts';

/** The tables of the node, taken as seldom as is safe. */
export interface Looks {
  /** The node's table and the cluster's view as they are now, without containers. */
  node(): Result<Look>;
  /** All tables as they are now; undefined where the node's cannot be read. */
  scan(containers: ContainerScope): Look | undefined;
  /**
   * The node and the cluster as they are now, with the containers as they were seen last, unless that is long ago or was
   * before `after`. Reading each container's table again costs up to a millisecond for each, and what has changed there
   * makes a replacement fail with ESTALE.
   */
  recent(after?: Nanoseconds): Look | undefined;
  /** The containers as they were seen last: the same array for as long as nothing has been seen to change. */
  containers(): readonly Container[];
  /** When the containers were last looked at. */
  at(): Nanoseconds;
  /** When the tables of all containers were last read. */
  scannedAt(): Nanoseconds | undefined;
}

export interface LooksOptions extends Omit<LookOptions, 'containers'> {
  readonly answers: Pick<Answers, 'keep'>;
  /** For how long containers that were seen may be taken for those that are there. */
  readonly containersAge: Nanoseconds;
}

export function createLooks(options: LooksOptions): Looks {
  const { clock, answers, containersAge } = options;
  let latest: Look | undefined;
  let scanned: Nanoseconds | undefined;

  function node(): Result<Look> {
    return look({ ...options, containers: 'none' });
  }

  function scan(containers: ContainerScope): Look | undefined {
    const seen = look({ ...options, containers });
    latest = seen.ok ? seen.value : undefined;
    if (latest !== undefined && containers === 'fresh') {
      scanned = clock.now();
      answers.keep(devicesOf(latest));
    }
    return latest;
  }

  return {
    node,
    scan,
    recent(after) {
      if (latest === undefined || clock.now() - latest.at >= containersAge) return scan('known');
      if (after !== undefined && latest.at <= after) return scan('known');
      const now = node();
      return now.ok ? { ...now.value, containers: latest.containers } : undefined;
    },
    containers: () => latest?.containers ?? [],
    at: () => latest?.at ?? (0n as Nanoseconds),
    scannedAt: () => scanned,
  };
}

function devicesOf({ mounts, containers }: Look): ReadonlySet<DeviceId> {
  return new Set(
    [mounts, ...containers.map((each) => each.mounts)].flatMap((each) => each.map(({ device }) => device)),
  );
}
