import type { CheckRecord, ScenarioStatus } from './record.ts';

/** The outline of a scenario in the sample run. */
export interface Plot {
  readonly id: string;
  readonly feature: string;
  readonly rule?: string;
  readonly name: string;
  readonly claims: readonly string[];
  readonly fault?: string;
  /** Milliseconds from the crash to the daemon's return; absent if it does not return. */
  readonly away?: readonly number[];
  readonly gate?: 'off';
  readonly hang?: true;
  readonly status: ScenarioStatus;
  readonly reason?: string;
  readonly checks: readonly CheckRecord[];
  readonly mountLines?: { readonly before: number; readonly after: number };
}

const check = (name: string, claims: string, says: string, verdict: CheckRecord['verdict'] = 'pass'): CheckRecord => ({
  name,
  claims: claims.split(' '),
  verdict,
  says,
});

/** Ten scenarios: one fails, one is inconclusive, two are skipped. */
export const plots: readonly Plot[] = [
  {
    id: 'crash-kill-1',
    feature: 'Crash and recovery',
    rule: 'A pod that reads a dataset reads it again, and is not restarted',
    name: 'the pod reads again after kill 1 in the FUSE pod',
    claims: ['C1', 'C2', 'C3'],
    fault: 'kill-1',
    away: [180],
    status: 'pass',
    checks: [
      check(
        'the loop ran through everything',
        'C1',
        'The loop printed a listing or an error each second, 7 times in 7 s.',
      ),
      check('the pod reads the same files again', 'C3', 'All 1 161 reads after the recovery had the expected SHA-256.'),
      check('the pod was not restarted', 'C3', 'Container id and restart count (0) are those from before the crash.'),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'crash-sigkill',
    feature: 'Crash and recovery',
    rule: 'A pod that reads a dataset reads it again, and is not restarted',
    name: 'the pod reads again after the daemon is killed from outside',
    claims: ['C3', 'L1'],
    fault: 'sigkill',
    away: [150],
    status: 'pass',
    checks: [
      check(
        'the errors are the documented ones',
        'L1',
        'Failed operations answered ENOTCONN or ECONNABORTED, and nothing else.',
      ),
      check('the pod reads the same files again', 'C3', 'All reads after the recovery had the expected SHA-256.'),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'mount-table-growth',
    feature: 'Crash and recovery',
    rule: 'Recovery leaves nothing behind',
    name: 'three crashes leave the mount table as long as it was',
    claims: ['C3'],
    fault: 'sigkill',
    away: [140, 900, 1800],
    status: 'fail',
    reason: 'The mount tables of node and pod have 47 lines after three crashes and had 44 before.',
    checks: [
      check('the pod reads the same files again', 'C3', 'The pod read again after each of three crashes.'),
      check(
        'the mount table does not grow',
        'C3',
        '47 lines after the last recovery, 44 before the first fault: one more for each crash.',
        'fail',
      ),
    ],
    mountLines: { before: 44, after: 47 },
  },
  {
    id: 'gate-off',
    feature: 'Enable the recovery of FUSE mount points',
    rule: 'Nothing is recovered while the gate is off',
    name: 'a crash stays a crash with FuseRecovery=false',
    claims: ['E1'],
    fault: 'sigkill',
    away: [160],
    gate: 'off',
    status: 'pass',
    checks: [check('nothing was mounted', 'E1', 'No mount of the pod changed, and no event claims a recovery.')],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'daemon-stays-away',
    feature: 'Limits',
    rule: 'Recovery starts when the daemon is back, not before',
    name: 'nothing is mounted while the daemon is down',
    claims: ['L4'],
    fault: 'sigkill',
    away: [2400],
    status: 'pass',
    checks: [check('no mount while the daemon is down', 'L4', '0 mounts and 0 events in the 2.40 s without a daemon.')],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'hung-daemon',
    feature: 'Limits',
    name: 'a daemon that does not answer is found out',
    claims: ['L1'],
    fault: 'sigstop',
    hang: true,
    status: 'inconclusive',
    reason: 'One operation had not come back when the scenario ended, so it is not known how it would have ended.',
    checks: [
      check(
        'the hang is seen from inside the pod',
        'L1',
        'One list of /data hung for 3.91 s and was still hanging.',
        'inconclusive',
      ),
    ],
  },
  {
    id: 'two-workers',
    feature: 'Dataset and JindoRuntime',
    name: 'replicas: 2 gives two worker pods',
    claims: ['D3'],
    status: 'pass',
    checks: [check('two workers', 'D3', 'Two pods with role=jindofs-worker are ready.')],
  },
  {
    id: 'serverless-crash',
    feature: 'Serverless',
    name: 'the pod reads again after kill 1 in fluid-fuse-0',
    claims: ['V1', 'V3'],
    status: 'skipped',
    reason: 'The sandbox has no virtual node; run it with --cluster kind.',
    checks: [],
  },
  {
    id: 'back-off-growth',
    feature: 'Limits',
    rule: 'Frequent crashes lengthen the recovery',
    name: 'the kubelet waits longer after each crash',
    claims: ['L5'],
    fault: 'sigkill',
    away: [150, 1000, 2000],
    status: 'pass',
    checks: [
      check(
        'delays grow as predicted',
        'L5',
        'Delays of 0, 10 and 20 s of the kubelet’s clock; predicted 0, 10 and 20 s.',
      ),
    ],
    mountLines: { before: 44, after: 44 },
  },
  {
    id: 'sub-path',
    feature: 'Limits',
    name: 'a PVC mounted with subPath is refused at admission',
    claims: ['L3'],
    status: 'skipped',
    reason: 'The sandbox has no admission webhook yet.',
    checks: [],
  },
];
