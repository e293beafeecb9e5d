import { formatNs } from '../timeline/duration.ts';
import type { CheckRecord, HistoryEvent } from '../timeline/record.ts';
import { type Consumer, whereOf } from './consumer.ts';
import { concluded, type Finding, fail, firstThatDidNotPass, inconclusive, pass } from './finding.ts';
import { successClaimsOf } from './success-claims.ts';
import { isTableKnown, mountsOfVolume } from './volume-mounts.ts';

export interface LeftAlone {
  readonly consumer: Consumer;
  /** The PersistentVolume's name. */
  readonly volume: string;
  /** The fault that lasts, by its name. */
  readonly fault: string;
}

/** The agent's period in a sandbox, in nanoseconds. */
const long = 1e9;

/** While a fault lasts that did not end the daemon, nothing of the volume is mounted and nothing claims a recovery. */
export function isLeftAlone(history: readonly HistoryEvent[], expected: LeftAlone): CheckRecord {
  return concluded({ name: 'a mount that is not dead is left alone', claims: ['L4'] }, judge(history, expected));
}

function judge(history: readonly HistoryEvent[], expected: LeftAlone): Finding {
  const { consumer, fault } = expected;
  const phases = history.filter((event) => event.kind === 'fault' && event.fault === fault);
  const windows = phases
    .filter((event) => event.kind === 'fault' && event.phase === 'injected')
    .map(({ at }) => ({
      from: at,
      to:
        phases.find((event) => event.kind === 'fault' && event.phase === 'healed' && event.at > at)?.at ??
        Number.POSITIVE_INFINITY,
    }));
  if (windows.length === 0) return inconclusive(`the fault ${fault} was not done`);
  if (!isTableKnown(history, whereOf(consumer))) return inconclusive('nobody recorded the pod’s mount table');
  const findings = windows.map((window) => judgeWindow(history, expected, window));
  return firstThatDidNotPass(findings) ?? findings.at(-1) ?? inconclusive('no window');
}

function judgeWindow(
  history: readonly HistoryEvent[],
  { consumer, volume, fault }: LeftAlone,
  { from, to }: { readonly from: number; readonly to: number },
): Finding {
  const within = history.filter(({ at }) => at > from && at < to);
  const since = (at: number) => `${formatNs(at - from)} after ${fault} began`;
  const mounted = mountsOfVolume(within, { consumer, volume }).find(({ made }) => made);
  if (mounted !== undefined) return fail(`${mounted.mountPoint} (${mounted.where}) was mounted ${since(mounted.at)}`);
  const acted = within.find(
    (event) =>
      event.kind === 'agent' &&
      (event.event === 'replaced' || event.event === 'recovered') &&
      (event.volume ?? volume) === volume,
  );
  if (acted?.kind === 'agent') return fail(`the agent said "${acted.event}" ${since(acted.at)}`);
  const [claim] = successClaimsOf(within, consumer);
  if (claim !== undefined) return fail(`${claim.what} came ${since(claim.at)}`);
  const watched = history.reduce((last, { at }) => Math.max(last, Math.min(at, to)), from) - from;
  if (watched < long) return inconclusive(`it lasted only ${formatNs(watched)}: too short to tell`);
  return pass(`in ${formatNs(watched)} nothing was mounted and nothing claimed a recovery`);
}
