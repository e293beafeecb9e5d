import { newRunId, parseRunId, type RunId, runIdVariable, runRoleVariable } from '../run-id.ts';

/** The process as it sees itself; `process` has all of it. */
interface Self {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** Interpreter, script, command, ... */
  readonly argv: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly execve?: (file: string, args: readonly string[], env: Record<string, string | undefined>) => void;
}

const commandsWithRun = ['conform', 'crash', 'bench'];

/** True where the command makes a run, which has to be cleaned up when it is interrupted. */
export function makesRun(argv: readonly string[]): boolean {
  return commandsWithRun.includes(argv[2] ?? '');
}

/**
 * Gives this process a run's id. `rekindle clean` knows a living harness by its environment in /proc, which shows what a
 * program was started with and not what it set later: so a command that makes a run replaces this process by itself, with
 * the id in its environment. The role does not pass on to children, the id does.
 */
export function becomeHarness(self: Self, newId: () => RunId = () => newRunId(new Date(), Math.random)): RunId {
  const given = parseRunId(self.env[runIdVariable] ?? '');
  if (self.env[runRoleVariable] === 'harness' && given !== undefined) {
    delete self.env[runRoleVariable];
    return given;
  }
  const runId = newId();
  if (makesRun(self.argv)) {
    const env = { ...self.env, [runIdVariable]: runId, [runRoleVariable]: 'harness' };
    self.execve?.(self.execPath, [self.execPath, ...self.execArgv, ...self.argv.slice(1)], env);
  }
  self.env[runIdVariable] = runId;
  return runId;
}
