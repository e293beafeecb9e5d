import type { Recovery, ScenarioRecord } from '../../reports/record.ts';
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

/** The phases of a crash as the sentences that people compare. */
export function phasesOf({
  crash: from,
  firstError,
  daemonReady,
  replacedOnNode,
  replacedInPod,
  readable,
}: Recovery): readonly string[] {
  const at = (name: string, moment: number | undefined) =>
    moment === undefined ? [] : [`${`+${((moment - from) / 1e6).toFixed(1)} ms`.padStart(12)}  ${name}`];
  return [
    ...at('first error in the pod', firstError),
    ...at('daemon ready', daemonReady),
    ...at('replaced on the node', replacedOnNode),
    ...at('replaced in the pod', replacedInPod),
    ...at('the pod reads again', readable),
  ];
}
