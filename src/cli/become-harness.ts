import { newRunId, parseRunId, type RunId, runIdVariable, runRoleVariable } from '../run-id.ts';

/** The parts of `process` that are used here. */
interface Self {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** Interpreter, script, command, ... */
  readonly argv: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly execve?: (file: string, args: readonly string[], env: Record<string, string | undefined>) => void;
}

interface HarnessOptions {
  /** Flags that Node gets with the run id. */
  readonly flags?: readonly string[];
  readonly newId?: () => RunId;
}

const defaultId = () => newRunId(new Date(), Math.random);

const commandsWithRun = ['conform', 'crash', 'bench', 'simulate'];

/** Returns true if the command starts a run, which must be cleaned up when it is interrupted. */
export function startsRun(argv: readonly string[]): boolean {
  return commandsWithRun.includes(argv[2] ?? '');
}

/**
 * Gives this process a run id. `rekindle clean` recognizes a living harness by its environment in /proc, which shows only what
 * the program was started with: so a command that starts a run re-executes itself with the id in its environment. Children
 * inherit the id, but not the role.
 */
export function becomeHarness(self: Self, { flags = [], newId = defaultId }: HarnessOptions = {}): RunId {
  const given = parseRunId(self.env[runIdVariable] ?? '');
  if (self.env[runRoleVariable] === 'harness' && given !== undefined) {
    delete self.env[runRoleVariable];
    return given;
  }
  const runId = newId();
  if (startsRun(self.argv)) {
    const env = { ...self.env, [runIdVariable]: runId, [runRoleVariable]: 'harness' };
    self.execve?.(self.execPath, [self.execPath, ...self.execArgv, ...flags, ...self.argv.slice(1)], env);
  }
  self.env[runIdVariable] = runId;
  return runId;
}
