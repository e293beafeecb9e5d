import type { ScenarioRecord, ScenarioStatus } from './record.ts';

/** The promises of the document by claim id, in its order: one short sentence each. */
const documented: Readonly<Record<string, string>> = {
  P1: 'Kubernetes is 1.18 or later.',
  P2: 'The node’s operating system is not ContainerOS.',
  P3: 'No other Fluid is installed beside ack-fluid.',
  P4: 'Object storage is enabled and the bucket exists.',
  P5: 'Serverless pods need a virtual node or a serverless cluster.',
  L1: 'Recovery takes time and shows: the application sees errors and must retry.',
  L2: 'Only read-only datasets are recovered.',
  L3: 'A PVC mounted with subPath is not supported.',
  L4: 'Recovery starts only after the daemon is back.',
  L5: 'A daemon that crashes often is restarted later each time, and so is the recovery.',
  E1: 'The gate FuseRecovery is off by default, and nothing is recovered while it is off.',
  E2: 'The documented command turns the gate on.',
  E3: 'The documented command shows that the gate is on.',
  D1: 'The Secret’s credentials reach the daemon.',
  D2: 'Dataset and JindoRuntime of one name give a bound volume and claim.',
  D3: 'replicas is the number of workers.',
  D4: 'mediumtype is one of HDD, SSD and MEM, with one path.',
  D5: 'The mount point holds bucket and directory; the endpoint is an option.',
  A1: 'A labelled pod mounts the claim at /data and runs.',
  A2: 'The label is what turns the recovery on.',
  C1: 'A loop that lists /data each second keeps running.',
  C2: 'kill 1 in the FUSE pod crashes the daemon.',
  C3: 'The loop sees “Transport endpoint is not connected”, then the files again; the pod is not restarted.',
  V1: 'A serverless pod gets the container fluid-fuse-0 and runs.',
  V2: 'The annotation turns the recovery on, for serverless pods only.',
  V3: 'After kill 1 in fluid-fuse-0 the pod sees errors, then the files again.',
};

/** Promises that the document does not make, of what is off by default: standbys. */
const ofStandbys: Readonly<Record<string, string>> = {
  S1: 'With a standby, an outage does not wait for the daemon’s restart, however often a daemon crashes.',
  S2: 'A failover mounts nothing twice.',
  S3: 'A volume stays read-only through a failover.',
  S4: 'A standby that is dead or hung is never attached.',
  S5: 'The restarted daemon is the standby of the next crash.',
  S6: 'Nothing holds a standby that is removed, nor a volume of a pod that is gone.',
};

/** Promises of the fallback for pods that may not be recovered, which is off by default as well. */
const ofFallbacks: Readonly<Record<string, string>> = {
  F1: 'A pod that is left alone and asks for it is restarted or evicted once its daemon serves, within its PodDisruptionBudget.',
  F2: 'No pod is restarted or evicted that does not ask for it or would not come back, and an event says why.',
};

/** All promises by claim id: one short sentence each. */
export const claims: Readonly<Record<string, string>> = { ...documented, ...ofStandbys, ...ofFallbacks };

export interface ClaimResult {
  readonly id: string;
  /** Absent if the document has no such claim. */
  readonly says?: string;
  readonly status: ScenarioStatus;
  readonly scenarios: readonly ExaminingScenario[];
}

/** A scenario, and what it says about one claim. */
export interface ExaminingScenario {
  readonly scenario: ScenarioRecord;
  readonly status: ScenarioStatus;
}

/** Id of all that a check found and no claim of the document promises. */
const unclaimed = 'other';

/** Each claim that a scenario examines, with its worst status: one failure refutes a claim, and a skip does not outweigh a pass. */
export function judgeClaims(scenarios: readonly ScenarioRecord[]): ClaimResult[] {
  const order = Object.keys(claims);
  const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  const ids = [...new Set(scenarios.flatMap((scenario) => [...scenario.claims, ...refuted(scenario)]))];
  return ids
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((id) => {
      const examining = scenarios
        .filter((scenario) => scenario.claims.includes(id) || refuted(scenario).includes(id))
        .map((scenario) => ({ scenario, status: statusOf(id, scenario) }));
      const says = id === unclaimed ? 'What no claim of the document names.' : claims[id];
      const status = worstStatus(examining.map(({ status }) => status));
      return { id, ...(says === undefined ? {} : { says }), status, scenarios: examining };
    });
}

/** The claims that a scenario's failed checks are about; empty if it failed without a check. */
function refuted({ status, checks }: ScenarioRecord): readonly string[] {
  const failed = status === 'fail' ? checks.filter(({ verdict }) => verdict === 'fail') : [];
  return failed.flatMap(({ claims }) => (claims.length === 0 ? [unclaimed] : claims));
}

/** A scenario that failed refutes the claims of its failed checks. Of the others it shows nothing, as it ended there. */
function statusOf(id: string, scenario: ScenarioRecord): ScenarioStatus {
  const failures = refuted(scenario);
  return failures.length === 0 || failures.includes(id) ? scenario.status : 'inconclusive';
}

/** Claims of the document that no scenario of the run examines. */
export function unexaminedClaims(scenarios: readonly ScenarioRecord[]): string[] {
  const examined = new Set(scenarios.flatMap((scenario) => scenario.claims));
  return Object.keys(documented).filter((id) => !examined.has(id));
}

function worstStatus(statuses: readonly ScenarioStatus[]): ScenarioStatus {
  const worstFirst: readonly ScenarioStatus[] = ['fail', 'inconclusive', 'pass', 'skipped'];
  return worstFirst.find((status) => statuses.includes(status)) ?? 'skipped';
}
