import type { Environment } from '../environment.ts';
import type { RunId } from '../run-id.ts';
import type { Verbs } from '../verbs.ts';

/** Names that arguments may have. Each is looked up only when an argument needs it. */
export interface Vocabulary {
  clusters(): readonly string[];
  /** Names of the shipped profiles. */
  profiles(): Promise<readonly string[]>;
  /** Those of faulty agents, which are there to be found out. */
  negativeProfiles(): Promise<readonly string[]>;
  faults(): Promise<readonly string[]>;
  /** Faults that a crash can be combined with. */
  companions(): Promise<readonly string[]>;
  tags(): readonly string[];
  /** Rejects with a sentence where the file is no profile. */
  checkProfile(path: string): Promise<void>;
}

/** All that the command line stands on; made in `main.ts`, or by a test. */
export interface Context {
  readonly environment: Environment;
  /** The id that a run of this process has. */
  readonly runId: RunId;
  readonly version: string;
  /** A number in [0, 1), for the seed where none is given. */
  readonly random: () => number;
  /** PID of this process. */
  readonly pid: number;
  /** Its effective user. */
  readonly uid: number;
  /** Loads the scenario engine, which the other commands do without. */
  readonly loadVerbs: () => Promise<Verbs>;
  readonly vocabulary: Vocabulary;
  /** What stands in the way of a run in the sandbox: as `requirements` of the doctor. */
  readonly requirements: () => Promise<readonly { readonly what: string; readonly remedy: string }[]>;
  /** Resolves on the second Ctrl-C: do not wait for anybody any more. */
  readonly forced: Promise<void>;
}
