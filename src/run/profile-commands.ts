import { execa } from 'execa';
import type { Environment } from '../environment.ts';
import type { Profile } from '../profiles/profile.ts';
import { ProfileMisfit } from '../profiles/profile-misfit.ts';

/** An installation waits for its images. */
const timeoutMs = 600_000;
const shownCharacters = 300;

type Commands = Profile['commands'];
type CommandEnvironment = Pick<Environment, 'cwd' | 'env' | 'signal'>;

/** Runs the commands that a profile wants before a run. @throws ProfileMisfit for the first one that fails */
export async function runBefore({ before }: Commands, environment: CommandEnvironment): Promise<void> {
  for (const [index, command] of before.entries()) {
    const failure = await failureOf(command, environment);
    if (failure !== undefined) throw new ProfileMisfit(`commands.before.${index}`, failure);
  }
}

/** Runs all commands that a profile wants after a run, also of one that was interrupted. Returns a sentence for each that fails. */
export async function runAfter({ after }: Commands, { cwd, env }: CommandEnvironment): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const [index, command] of after.entries()) {
    const failure = await failureOf(command, { cwd, env });
    if (failure !== undefined) failures.push(`the profile's commands.after.${index} failed: ${failure}`);
  }
  return failures;
}

/** What was run and how it ended; undefined if it succeeded. */
async function failureOf(
  [program = '', ...words]: readonly string[],
  { cwd, env, signal }: Pick<CommandEnvironment, 'cwd' | 'env'> & Partial<CommandEnvironment>,
): Promise<string | undefined> {
  const result = await execa(program, words, {
    cwd,
    env,
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: timeoutMs,
    ...(signal && { cancelSignal: signal }),
  });
  if (!result.failed) return undefined;
  const { code, exitCode, all = '' } = result;
  const printed = all.trim().slice(-shownCharacters);
  if (code === 'ENOENT') return `${program} is neither on the PATH nor a path of a program in ${cwd}`;
  if (exitCode !== undefined) return `${program} ended with status ${exitCode}: ${printed || 'it printed nothing'}`;
  return `${result.shortMessage ?? program}: ${printed || 'it printed nothing'}`;
}
