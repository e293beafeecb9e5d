import type { RunRecord, ScenarioRecord } from '../timeline/record.ts';
import { findStop } from '../timeline/verdict.ts';
import type { ExpectedFindings } from './expectations.ts';

/** What a run found wrong with an agent. */
export interface RunFindings {
  /** Claims of failed checks, or of the scenario if a step failed without one, such as a pod that does not read again in time. */
  readonly claims: readonly string[];
  /** Names of failed checks without a claim. */
  readonly checks: readonly string[];
}

export function findingsOf({ scenarios }: Pick<RunRecord, 'scenarios'>): RunFindings {
  const failed = scenarios.filter(({ status }) => status === 'fail');
  const bad = failed.flatMap(({ checks }) => checks.filter(({ verdict }) => verdict === 'fail'));
  return {
    claims: distinct(failed.flatMap(brokenClaims)),
    checks: distinct(bad.flatMap(({ claims, name }) => (claims.length === 0 ? [name] : []))),
  };
}

function brokenClaims({ checks, claims }: ScenarioRecord): readonly string[] {
  const bad = checks.filter(({ verdict }) => verdict === 'fail');
  return bad.length > 0 ? bad.flatMap((check) => check.claims) : claims;
}

/** Differences from the expectation, one sentence each. Empty if the run found exactly what was expected. */
export function differences(expected: ExpectedFindings, record: RunRecord): readonly string[] {
  const { claims, checks, scenarios, thens = [] } = expected;
  const found = findingsOf(record);
  const stops = record.scenarios.flatMap(({ status, steps }) =>
    status === 'fail' ? (findStop(steps)?.text ?? []) : [],
  );
  const ran = record.scenarios.map(({ name }) => name);
  const undecided = record.scenarios.filter(({ status }) => status !== 'pass' && status !== 'fail');
  const isFoundByDefault = record.scenarios.some(
    ({ status, tags }) => status === 'fail' && tags.includes('@documented'),
  );
  return [
    ...undecided.map(({ name, status, reason }) => `"${name}" is ${status}: ${reason}`),
    ...(isBroken(expected) && !expected.isOptional && !isFoundByDefault
      ? ['the documented scenarios do not find it']
      : []),
    ...scenarios.filter((name) => !ran.includes(name)).map((name) => `"${name}" did not run`),
    ...claims.filter((claim) => !found.claims.includes(claim)).map((claim) => `${claim} is not named`),
    ...found.claims.filter((claim) => !claims.includes(claim)).map((claim) => `${claim} is named, and is kept`),
    ...checks.filter((name) => !found.checks.includes(name)).map((name) => `"${name}" does not fail`),
    ...thens.filter((then) => !stops.includes(then)).map((then) => `“${then}” stops no scenario`),
    ...found.checks.filter((name) => !checks.includes(name)).map((name) => `"${name}" fails, and is kept`),
  ];
}

/** Whether the agent breaks something. */
export const isBroken = ({ claims, checks }: ExpectedFindings) => claims.length + checks.length > 0;

const distinct = (values: readonly string[]) => [...new Set(values)].toSorted();
