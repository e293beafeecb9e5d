import type { Answers } from './answers.ts';
import type { DeviceId, Nanoseconds } from './model.ts';
import { type Look, type LookOptions, look } from './observe.ts';
import type { Result } from './ports.ts';
import { lookAge } from './settings.ts';

/** The tables of the node, taken as seldom as is safe. */
export interface Looks {
  /** The node's table and the cluster's view as they are now, without containers. */
  node(): Result<Look>;
  /** All tables as they are now; undefined where the node's cannot be read. */
  scan(containers: 'known' | 'fresh'): Look | undefined;
  /** The last scan where it is younger than a few milliseconds, no news has come since, and it is later than `after`. */
  recent(after?: Nanoseconds): Look | undefined;
  /** There is news: what was seen before is not what is there now. */
  outdate(): void;
  /** When all processes were last scanned. */
  scannedAt(): Nanoseconds | undefined;
}

export function createLooks(options: Omit<LookOptions, 'containers'> & { readonly answers: Answers }): Looks {
  const { clock, answers } = options;
  let latest: Look | undefined;
  let scanned: Nanoseconds | undefined;

  function scan(containers: 'known' | 'fresh'): Look | undefined {
    const seen = look({ ...options, containers });
    latest = seen.ok ? seen.value : undefined;
    if (latest !== undefined && containers === 'fresh') {
      scanned = clock.now();
      answers.keep(devicesOf(latest));
    }
    return latest;
  }

  return {
    node: () => look({ ...options, containers: 'none' }),
    scan,
    recent(after) {
      const isRecent = latest !== undefined && clock.now() - latest.at < lookAge;
      return isRecent && (after === undefined || (latest?.at ?? after) > after) ? latest : scan('known');
    },
    outdate() {
      latest = undefined;
    },
    scannedAt: () => scanned,
  };
}

function devicesOf({ mounts, containers }: Look): ReadonlySet<DeviceId> {
  return new Set(
    [mounts, ...containers.map((each) => each.mounts)].flatMap((each) => each.map(({ device }) => device)),
  );
}
