import type { Recovery, ScenarioRecord } from '../timeline/record.ts';
import { momentNames, moments } from '../timeline/stages.ts';
import type { CrashOptions } from '../verbs.ts';
import type { ScenarioNotes } from './session.ts';

/** The one scenario of `rekindle crash`. */
export function scenarioOf({ fault, recovery }: CrashOptions, notes: ScenarioNotes): ScenarioRecord {
  const bad = notes.checks.find(({ verdict }) => verdict !== 'pass');
  return {
    id: notes.id,
    feature: 'rekindle crash',
    uri: '',
    line: 0,
    name: `${fault}, ${recovery ? 'with recovery' : 'without recovery'}`,
    tags: [`@fault:${fault}`],
    claims: recovery ? ['C2', 'C3', 'L1'] : ['E1'],
    status: bad?.verdict ?? 'pass',
    ...(bad && { reason: bad.says }),
    startedAt: notes.startedAt,
    finishedAt: notes.finishedAt,
    steps: [],
    checks: notes.checks,
    recoveries: [],
    ...(notes.mountLines && { mountLines: notes.mountLines }),
  };
}

/** The moments of a recovery, each with its time since the crash. */
export function phasesOf(recovery: Recovery): readonly string[] {
  return moments.flatMap((moment) => {
    const at = recovery[moment];
    if (moment === 'crash' || at === undefined) return [];
    return [`${`+${((at - recovery.crash) / 1e6).toFixed(1)} ms`.padStart(12)}  ${momentNames[moment]}`];
  });
}
