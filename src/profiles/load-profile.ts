import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentSettings, KeeperSettings } from '../../clusters/cluster.ts';
import { BadFile, parseYaml } from '../yaml-file.ts';
import { type Profile, profileSchema } from './profile.ts';

const shipped = import.meta.dirname;
/** Profiles of faulty agents, which test the harness itself. */
const negative = join(shipped, 'negative');

/** Names of the shipped profiles, sorted. */
export function profileNames(): Promise<string[]> {
  return listProfiles(shipped);
}

/** Names of the profiles of faulty agents, each of which the self-test must detect. */
export function negativeProfileNames(): Promise<string[]> {
  return listProfiles(negative);
}

async function listProfiles(folder: string): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** Path of a shipped profile, including those of faulty agents, or undefined if the name is unknown. */
export async function shippedProfile(name: string): Promise<string | undefined> {
  if ((await profileNames()).includes(name)) return join(shipped, `${name}.yaml`);
  return (await negativeProfileNames()).includes(name) ? join(negative, `${name}.yaml`) : undefined;
}

/** A path has a slash, or ends in .yaml or .yml; anything else is the name of a shipped profile. */
export const isProfilePath = (nameOrPath: string): boolean => nameOrPath.includes('/') || /\.ya?ml$/.test(nameOrPath);

/** Loads a shipped profile by name, or any other by its path. @throws BadFile */
export async function loadProfile(nameOrPath: string, cwd: string): Promise<Profile> {
  const isPath = isProfilePath(nameOrPath);
  const path = isPath ? resolve(cwd, nameOrPath) : await shippedProfile(nameOrPath);
  if (path === undefined) {
    const says = `no such profile; known: ${(await profileNames()).join(', ')}, or the path of a YAML file`;
    throw new BadFile(nameOrPath, [{ says }]);
  }
  const yaml = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new BadFile(nameOrPath, [{ says: `the profile cannot be read: ${cause.syscall ?? 'open'}: ${cause.code}` }], {
      cause,
    });
  });
  return parseProfile(yaml, isPath ? nameOrPath : `${nameOrPath}.yaml`);
}

/** Reads a profile from YAML. `file` is used only in messages. @throws BadFile with all problems */
export function parseProfile(yaml: string, file: string): Profile {
  try {
    return parseYaml(yaml, file, { schema: profileSchema, name: 'a profile' });
  } catch (error) {
    if (!(error instanceof BadFile)) throw error;
    const [first, ...others] = error.problems;
    throw new BadFile(file, [explainChange(first), ...others.map(explainChange)]);
  }
}

/** What profiles of the first version had otherwise, by the beginning of the problem. */
const changes: Readonly<Record<string, string>> = {
  'version is missing': 'this is a profile of the first version: add "version: 2"',
  'promises.recovers is not a field': 'write promises.class: rebind or enter if it was true, none if it was false',
};

function explainChange(problem: BadFile['problems'][0]): BadFile['problems'][0] {
  const [, change] = Object.entries(changes).find(([beginning]) => problem.says.startsWith(beginning)) ?? [];
  return change === undefined ? problem : { ...problem, says: `${problem.says}; ${change}` };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Programs are TypeScript in the source tree and JavaScript in the package. */
const extension = import.meta.url.endsWith('.js') ? '.js' : '.ts';

/** How a profile's agent is run in the sandbox: nothing for Rekindle's own agent. */
export function agentProgram({ agent }: Profile): Pick<AgentSettings, 'command' | 'environment' | 'files'> {
  const { command, environment, files } = agent ?? {};
  if (command === undefined) return {};
  return { command: command.map(expandPath), ...(environment && { environment }), ...(files && { files }) };
}

/** The settings of the agent that is judged. `isInstalled`: it is there already, and nothing is changed but its gate. */
export function agentSettings(
  profile: Profile,
  { isInstalled, kernelTier }: Pick<AgentSettings, 'kernelTier'> & { readonly isInstalled: boolean },
): AgentSettings {
  const program = isInstalled ? {} : agentProgram(profile);
  const isForeign = program.command !== undefined || isInstalled;
  return {
    fuseRecovery: profile.gate === 'none' ? 'default' : true,
    ...(!isForeign && { readWriteScope: profile.promises.readWriteScope }),
    ...(kernelTier && { kernelTier }),
    ...program,
    ...(profile.volume && { driver: profile.volume.driver }),
  };
}

/** The settings of the keeper that is judged: those of a scenario, with the fault of a faulty profile. */
export function keeperSettings({ agent }: Pick<Profile, 'agent'>, keeper: KeeperSettings): KeeperSettings {
  const fault = keeper.fault ?? agent?.keeperFault;
  return { ...keeper, ...(fault && { fault }) };
}

function expandPath(word: string): string {
  if (word.startsWith('{rekindle}/')) return `${root}${word.slice('{rekindle}/'.length).replace(/\.ts$/, extension)}`;
  return word.replace(/^\{node\}$/, process.execPath);
}
