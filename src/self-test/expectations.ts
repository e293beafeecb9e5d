/** What a run must find wrong with an agent, and nothing else, in scenarios that a correct agent passes. */
export interface Expectation {
  /** Name of a negative profile, or the file of another. */
  readonly profile: string;
  /** Names of scenarios. */
  readonly scenarios: readonly string[];
  /** The claims that must be named, and no others. */
  readonly claims: readonly string[];
  /** The checks without a claim of the document that must fail, and no others. */
  readonly checks: readonly string[];
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

export const expectations: readonly Expectation[] = [
  { profile: 'no-recovery', scenarios: [again, unlabelled, gateOff], claims: ['C3'], checks: [] },
  {
    profile: 'lies-about-success',
    scenarios: [labelled, again, unlabelled, gateOff, readWrite],
    claims: ['A1', 'L4'],
    checks: [],
  },
  { profile: 'writable-for-an-instant', scenarios: [readOnly, again, gateOff, down], claims: ['L2'], checks: [] },
  {
    profile: 'leaks-mounts',
    scenarios: [again, readOnly, unlabelled, gateOff],
    claims: [],
    checks: ['the mount table does not grow'],
  },
  {
    profile: 'too-eager',
    scenarios: [readWrite, subPath, unlabelled, gateOff, again, readOnly],
    claims: ['A2', 'E1', 'L2', 'L3'],
    checks: [],
  },
  // A correct agent that reports what it does by Kubernetes events only.
  {
    profile: 'fakes/agents/silent.yaml',
    scenarios: [labelled, again, many, unlabelled, gateOff],
    claims: [],
    checks: [],
  },
];
