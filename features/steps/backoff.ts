import { Then, When } from '@cucumber/cucumber';
import { monotonicNow } from '../../recovery/clock.ts';
import { backoffRows, type DelayExpectation, kubeletRules, predictDelay, seenRestarts } from '../../src/backoff.ts';
import { growsAsPredicted, recoveryWaitsForRestart } from '../../src/checks/backoff-as-predicted.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import { untilPodRecovers } from '../../src/scenario/pod-reads.ts';
import type { BackoffRow } from '../../src/timeline/record.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Crashes a daemon repeatedly, and predicts before each crash how long the kubelet is going to wait. */
class CrashLoop {
  readonly #world: RekindleWorld;
  readonly #expected: DelayExpectation[] = [];

  constructor(world: RekindleWorld) {
    this.#world = world;
  }

  /** Crashes the daemon as soon as the pod reads. The prediction enters the history before the fault does. */
  async crash(): Promise<void> {
    const { pod, dataset, scenario, session } = this.#world;
    if (this.#expected.length > 0) await scenario.onlyWaiting(() => untilPodRecovers(pod));
    const now = monotonicNow();
    const expectation = this.#expect((session.history.now() / 1e6) * this.#clockScale);
    this.#expected.push(expectation);
    const text = `predicted: the kubelet waits ${expectation.delayMs / 1000} s (${expectation.because})`;
    session.onEvent({ kind: 'note', at: now, text });
    await dataset.daemon.inject(sigkill);
  }

  /** Waits until the daemon has run longer than the kubelet remembers its crashes. */
  async runLong(): Promise<void> {
    const { pod, scenario } = this.#world;
    await scenario.onlyWaiting(() => untilPodRecovers(pod));
    // The margin is for the time between the last start and its event.
    await scenario.watchFor((kubeletRules.resetAfterMs * 1.02) / this.#clockScale);
  }

  /** The predicted and observed delays, which also enter the record. */
  rows(): readonly BackoffRow[] {
    const { pod, history, scenario, timeline } = this.#world;
    const seen = timeline.recoveries.filter((recovery) => recovery.pod.endsWith(`/${pod.name}`));
    const faults = history.filter((event) => event.kind === 'fault' && event.phase === 'injected');
    const outages = faults.map(({ at }) => {
      const readable = seen.find(({ crash }) => crash === at)?.readable;
      return { crash: at, ...(readable !== undefined && { readable }) };
    });
    const rows = backoffRows(history, {
      container: this.#container,
      clockScale: this.#clockScale,
      expected: this.#expected,
      outages,
    });
    scenario.notes.backoff = rows;
    return rows;
  }

  #expect(nowMs: number): DelayExpectation {
    const { history } = this.#world;
    const container = this.#container;
    const restarts = seenRestarts(history, { container, clockScale: this.#clockScale });
    const first = history.find((event) => event.kind === 'process' && event.name === container)?.at ?? 0;
    const startedAt = restarts.at(-1)?.startedAt ?? (first / 1e6) * this.#clockScale;
    return { ...predictDelay(restarts, nowMs), ranMs: nowMs - startedAt };
  }

  get #clockScale(): number {
    return this.#world.session.cluster.fidelity.clockScale;
  }

  /** Name of the daemon's container in the history. */
  get #container(): string {
    const daemon = this.#world.history.find((event) => event.kind === 'process' && event.role === 'daemon');
    return daemon?.kind === 'process' ? daemon.name : '';
  }
}

const loops = new WeakMap<RekindleWorld, CrashLoop>();

function loopOf(world: RekindleWorld): CrashLoop {
  const loop = loops.get(world) ?? new CrashLoop(world);
  loops.set(world, loop);
  return loop;
}

When(
  'the FUSE daemon crashes {int} times, each time as soon as the pod reads again',
  async function (this: RekindleWorld, times: number) {
    for (let crash = 0; crash < times; crash++) await loopOf(this).crash();
  },
);

When('it then runs for longer than the kubelet remembers', async function (this: RekindleWorld) {
  await loopOf(this).runLong();
});

Then("each delay was predicted from the kubelet's source", async function (this: RekindleWorld) {
  await judgeDelays(this, ['first', 'doubled']);
});

Then(
  "each delay was predicted from the kubelet's source, up to its cap and after its reset",
  async function (this: RekindleWorld) {
    await judgeDelays(this, ['capped', 'reset']);
  },
);

Then('the recovery comes later as the kubelet waits longer', function (this: RekindleWorld) {
  this.scenario.judge(recoveryWaitsForRestart(loopOf(this).rows()));
});

async function judgeDelays(world: RekindleWorld, required: readonly BackoffRow['because'][]): Promise<void> {
  await untilPodRecovers(world.pod);
  world.scenario.judge(growsAsPredicted(loopOf(world).rows(), { required }));
}
