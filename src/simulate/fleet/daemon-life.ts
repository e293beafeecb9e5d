import { type BackoffMemory, type BackoffRules, nextDelay, rememberRestart } from '../../backoff.ts';
import type { Draws } from './draws.ts';
import { type Causes, type Fleet, yearMs } from './fleet-file.ts';

export const causeNames = ['crash', 'oom', 'hang', 'crashLoop', 'daemonUpgrade', 'nodeUpgrade'] as const;
export type Cause = (typeof causeNames)[number];

/** A time in which a daemon serves, in milliseconds since the forecast began. */
export interface ServicePeriod {
  readonly from: number;
  readonly to: number;
  /** Why it ends; undefined if the forecast ends first. */
  readonly end: Cause | undefined;
  /** When the process ends, and with it the connection: later than `to` if the daemon hangs. */
  readonly exit: number;
}

/** An upgrade that reaches a node. */
export interface Upgrade {
  readonly at: number;
  readonly cause: 'daemonUpgrade' | 'nodeUpgrade';
}

/**
 * The upgrades of a node, in order: each takes the nodes batch by batch, and the rollouts are spread evenly over the year.
 * `shift`: where in the interval between two rollouts each begins, from 0 to 1.
 */
export function upgradesFor(node: number, { causes, days }: Fleet, shift = 0.5): readonly Upgrade[] {
  const end = days * (yearMs / 365);
  const all = (['daemonUpgrade', 'nodeUpgrade'] as const).flatMap((cause): readonly Upgrade[] => {
    const plan = causes[cause];
    if (plan === undefined || plan.perYear === 0) return [];
    const interval = yearMs / plan.perYear;
    // Nodes must not be drained while their daemons are replaced: the two kinds begin at different times.
    const first =
      interval * (cause === 'daemonUpgrade' ? shift : 0.25) + Math.floor(node / plan.nodesAtOnce) * plan.takes;
    return Array.from({ length: Math.max(0, Math.ceil((end - first) / interval)) }, (_, k) => ({
      at: first + k * interval,
      cause,
    }));
  });
  return all.toSorted((a, b) => a.at - b.at);
}

export interface LifeOptions {
  readonly fleet: Fleet;
  readonly upgrades: readonly Upgrade[];
  readonly draws: Draws;
  /** A duration from the start of the container to ready. */
  readonly start: (draws: Draws) => number;
}

/** The periods in which a daemon serves, from its causes and the kubelet's back-off. The first begins at 0. */
export function daemonLife({ fleet, upgrades, draws, start }: LifeOptions): readonly ServicePeriod[] {
  const { causes, days, kubelet } = fleet;
  const end = days * (yearMs / 365);
  const rules: BackoffRules = {
    initialMs: kubelet.initial,
    maximumMs: kubelet.maximum,
    resetAfterMs: kubelet.resetAfter,
  };
  const failures = new Failures(causes, draws);
  const periods: ServicePeriod[] = [];
  let memory: BackoffMemory | undefined;
  let ready = 0;
  for (let next = 0; ready < end; ) {
    const upgrade = upgrades[next];
    const failure = failures.after(ready);
    const isPlanned = upgrade !== undefined && upgrade.at <= failure.at;
    const { at, cause } = isPlanned ? upgrade : failure;
    // An upgrade also reaches a daemon that is not ready: a period without length stands for it.
    const exit = at + (cause === 'hang' ? (causes.hang?.endsAfter ?? 0) : 0);
    periods.push({ from: Math.min(ready, at), to: Math.min(at, end), end: at < end ? cause : undefined, exit });
    if (at >= end) break;
    if (isPlanned) {
      next++;
      memory = undefined;
      ready = at + pauseFor(causes, upgrade.cause, draws) + start(draws);
      failures.begin();
      continue;
    }
    const { delayMs } = nextDelay(memory, exit, rules);
    memory = rememberRestart(memory, { finishedAt: exit, startedAt: exit + delayMs }, rules);
    const late = draws.share() * kubelet.relist + (delayMs > 0 ? draws.share() * kubelet.resync : 0);
    ready = exit + delayMs + late + start(draws);
  }
  return periods;
}

/** From the upgrade to the start of the new container. */
function pauseFor({ daemonUpgrade, nodeUpgrade }: Causes, cause: Upgrade['cause'], draws: Draws): number {
  if (cause === 'nodeUpgrade') return nodeUpgrade?.takes ?? 0;
  return daemonUpgrade === undefined ? 0 : draws.logNormal(daemonUpgrade.podStart);
}

/** Draws when a daemon that serves fails next. Failures are Poisson processes; a crash loop repeats its crash. */
class Failures {
  readonly #draws: Draws;
  /** Each cause with the sum of the yearly rates up to it. */
  readonly #limits: readonly (readonly [Cause, number])[];
  readonly #perYear: number;
  readonly #loop: NonNullable<Causes['crashLoop']> | undefined;
  /** Crashes that the present loop still has. */
  #left = 0;

  constructor({ crash, oom, hang, crashLoop }: Causes, draws: Draws) {
    this.#draws = draws;
    let sum = 0;
    this.#limits = Object.entries({ crash, oom, hang, crashLoop }).map(([cause, plan]) => {
      sum += plan?.perDaemonYear ?? 0;
      return [cause as Cause, sum];
    });
    this.#perYear = sum;
    this.#loop = crashLoop;
  }

  /** A new pod ends a loop. */
  begin(): void {
    this.#left = 0;
  }

  after(ready: number): { readonly at: number; readonly cause: Cause } {
    if (this.#left > 0 && this.#loop !== undefined) {
      this.#left--;
      return { at: ready + this.#loop.runsFor, cause: 'crashLoop' };
    }
    if (this.#perYear === 0) return { at: Number.POSITIVE_INFINITY, cause: 'crash' };
    const at = ready + this.#draws.exponential(yearMs / this.#perYear);
    const drawn = this.#draws.share() * this.#perYear;
    const [cause] = this.#limits.find(([, limit]) => drawn < limit) ?? ['crash' as const];
    if (cause === 'crashLoop' && this.#loop !== undefined) this.#left = this.#loop.crashes - 1;
    return { at, cause };
  }
}
