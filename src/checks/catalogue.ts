import * as acknowledgedWrites from './acknowledged-writes.ts';
import * as agentProcess from './agent-process.ts';
import * as backoff from './backoff-as-predicted.ts';
import type { Check } from './check.ts';
import * as transcript from './documented-transcript.ts';
import * as heldFile from './held-file.ts';
import * as mountTables from './mount-tables.ts';
import * as writes from './nothing-written.ts';
import * as outage from './outage.ts';
import * as podLifecycle from './pod-lifecycle.ts';
import * as program from './program.ts';
import * as readOnly from './read-only.ts';
import * as reads from './reads.ts';
import * as requiredClaims from './required-claims.ts';
import * as secrets from './secret-kept.ts';
import * as standby from './standby.ts';
import * as takeover from './takeover.ts';
import * as success from './truthful-success.ts';
import * as untouched from './untouched.ts';
import * as budget from './within-budget.ts';

const modules = [
  acknowledgedWrites,
  agentProcess,
  backoff,
  transcript,
  heldFile,
  mountTables,
  writes,
  outage,
  podLifecycle,
  program,
  readOnly,
  reads,
  requiredClaims,
  secrets,
  standby,
  success,
  takeover,
  untouched,
  budget,
];

/** Checks by name, as records refer to them. */
export type CheckCatalogue = ReadonlyMap<string, Check>;

/** All checks that can judge a stored run again. */
export const checks: CheckCatalogue = new Map(
  modules
    .flatMap((module): readonly unknown[] => Object.values(module))
    .filter((value) => isCheck(value))
    .map((check) => [check.title.name, check]),
);

function isCheck(value: unknown): value is Check {
  return typeof value === 'function' && 'title' in value;
}
