/** What a run must find wrong with an agent, and nothing else, in scenarios that a correct agent passes. */
export interface ExpectedFindings {
  /** Name of a negative profile, or the file of another. */
  readonly profile: string;
  /** Names of scenarios. */
  readonly scenarios: readonly string[];
  /** The claims that must be named, and no others. */
  readonly claims: readonly string[];
  /** The checks without a claim of the document that must fail, and no others. */
  readonly checks: readonly string[];
  /** Texts of Then steps, each of which must stop one of the scenarios. */
  readonly thens?: readonly string[];
  /** What it breaks is off by default. All others must be found by the documented scenarios, which `rekindle conform` runs by default. */
  readonly isOptional?: true;
}

const again = 'the pod reads again after crash upon crash';
const unlabelled = 'a pod without the label is not recovered, and no event claims that it was';
const gateOff = 'with the gate off a crash stays a crash';
const readWrite = 'a read-write dataset is left alone, and an event says so';
const readOnly = 'a read-only dataset stays read-only through a recovery';
const labelled = 'a labelled pod runs, and is recovered';
const down = 'nothing is mounted while the daemon is down';
const many = 'many pods of one dataset';
const subPath = 'a pod that got its label later is skipped with an event, and its sibling is recovered';
const noData = 'a daemon that is back but gives no data is no recovery';
const together = 'two datasets crash together, and each of their pods has its own again';
const unanswered = 'the daemon has read requests and answers none when it is killed';
const neverComes = 'the successor never comes';
const ordinary = 'a dataset whose daemon does not know about keepers';
const directory = 'a volume that is a directory of a dataset shows that directory again';
const lonely = 'the standby is dead';
const failover = 'the active daemon is killed and does not come back';

export const expectations: readonly ExpectedFindings[] = [
  { profile: 'no-recovery', scenarios: [again, unlabelled, gateOff], claims: ['C3'], checks: [] },
  {
    profile: 'lies-about-success',
    scenarios: [labelled, again, unlabelled, gateOff, readWrite],
    claims: ['A1', 'C3', 'L4'],
    checks: [],
  },
  { profile: 'writable-for-an-instant', scenarios: [readOnly, again, gateOff, down], claims: ['L2'], checks: [] },
  {
    profile: 'leaks-mounts',
    scenarios: [again, readOnly, unlabelled, gateOff, failover],
    claims: ['S2'],
    checks: ['the mount table does not grow'],
  },
  {
    profile: 'too-eager',
    scenarios: [readWrite, subPath, unlabelled, gateOff, readOnly],
    claims: ['A2', 'E1', 'L2', 'L3'],
    checks: [],
  },
  {
    profile: 'eager-after-a-while',
    scenarios: [readWrite, subPath, unlabelled, gateOff],
    claims: ['A2', 'E1', 'L2', 'L3'],
    checks: [],
  },
  {
    profile: 'takes-dead-mounts-away',
    scenarios: [readWrite, unlabelled, gateOff],
    claims: ['A2', 'E1', 'L2'],
    checks: [],
  },
  { profile: 'polls-only', scenarios: [again, labelled, unlabelled], claims: ['L1'], checks: [] },
  { profile: 'three-seconds-late', scenarios: [labelled, readOnly], claims: ['L1'], checks: [] },
  { profile: 'claims-unread', scenarios: [noData, readOnly], claims: ['A1', 'L4'], checks: [] },
  {
    profile: 'first-pod-only',
    scenarios: [together, readOnly, many],
    claims: ['C3'],
    checks: [],
    thens: ['all pods read the same files again, and none was restarted'],
  },
  { profile: 'half-writable', scenarios: [readOnly, gateOff], claims: ['L2'], checks: [] },
  { profile: 'whole-dataset', scenarios: [directory, readOnly], claims: ['A1', 'C3', 'L4'], checks: [] },
  { profile: 'other-dataset', scenarios: [together, readOnly], claims: ['A1', 'C3', 'L4'], checks: [] },
  { profile: 'stale-copy', scenarios: [labelled, unlabelled], claims: ['C3'], checks: [] },
  { profile: 'blank-refusals', scenarios: [readWrite, readOnly], claims: ['L2'], checks: [] },
  { profile: 'misplaced-refusals', scenarios: [readWrite, readOnly], claims: ['L2'], checks: [] },
  { profile: 'dead-standby', scenarios: [lonely, failover, again], claims: ['S4'], checks: [], isOptional: true },
  // A correct agent that reports what it does by Kubernetes events only.
  {
    profile: 'fakes/agents/silent.yaml',
    scenarios: [labelled, again, many, unlabelled, gateOff],
    claims: [],
    checks: [],
  },
  {
    profile: 'loses-a-request',
    scenarios: [unanswered, ordinary],
    claims: [],
    checks: ['the pod waits within the budget, and no operation fails'],
    isOptional: true,
  },
  {
    profile: 'hands-over-late',
    scenarios: [neverComes, ordinary],
    claims: [],
    checks: ['waiting ends at the deadline of the keeper'],
    isOptional: true,
  },
];
