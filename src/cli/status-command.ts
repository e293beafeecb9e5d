import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import { statusReader } from '../../recovery/deploy/options.ts';
import { colourFor } from '../colour.ts';
import type { ClusterStatus } from '../status/cluster-status.ts';
import type { StatusSource } from '../status/read-status.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { explainHelp, statusHelp } from './help.ts';
import { type KubeConfigFlags, loadKubeConfig } from './kube-config.ts';
import { jsonOption, parsePeriod, toJson, WrongArgument } from './options.ts';

interface SourceFlags extends KubeConfigFlags {
  readonly agentNamespace?: string;
  readonly address?: string;
}

interface StatusFlags extends SourceFlags {
  readonly output: 'table' | 'json';
  readonly json?: true;
  /** Milliseconds, or `true` without a value. */
  readonly watch?: number | true;
}

const sourceOptions = () => [
  new Option('--context <name>', 'context of the kubeconfig (default: the current one)'),
  new Option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, or ~/.kube/config)'),
  new Option('--agent-namespace <name>', 'namespace of the node agents (default: fluid-system and rekindle-system)'),
  new Option('--address <host:port>', 'ask one agent at this address, as that of a sandbox that is held'),
];

/** `rekindle status`. */
export function addStatus(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('status')
    .description('show every FUSE mount of a cluster: its state, its last recovery, or why it is left alone')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['table', 'json']).default('table'))
    .option('--json', 'the same as --output json')
    .option('-w, --watch [time]', 'print it again this often, until Ctrl-C (default: 2s)', parsePeriod);
  for (const option of sourceOptions()) command.addOption(option);
  command.addHelpText('after', statusHelp).action(async (flags: StatusFlags) => {
    const { environment } = context;
    const { stdout, signal } = environment;
    const source = sourceFrom(flags, environment);
    // Loaded on demand, because the client library's models take a second to load.
    const { readStatus } = await import('../status/read-status.ts');
    const { renderStatus } = await import('../status/render-status.ts');
    const isJson = flags.json === true || flags.output === 'json';
    const format = (status: ClusterStatus) =>
      isJson
        ? `${JSON.stringify(status, null, flags.watch === undefined ? 2 : 0)}\n`
        : renderStatus(status, { colour: colourFor(stdout, environment.env), width: stdout.columns ?? 80 });
    for (;;) {
      const status = await readOrRefuse('ask the node agents', () => readStatus(source, signal), source, signal);
      if (status === undefined) return ends(exitStatus.interrupted);
      const clears = flags.watch !== undefined && !isJson && stdout.isTTY === true;
      stdout.write(`${clears ? '\u001b[H\u001b[2J' : ''}${format(status)}`);
      if (flags.watch === undefined) return ends(statusOf(status));
      await delay(flags.watch === true ? 2000 : flags.watch, undefined, { signal }).catch(() => {});
      if (signal.aborted) return ends(exitStatus.interrupted);
    }
  });
}

/** `rekindle explain`. */
export function addExplain(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('explain')
    .description('print the story of one pod: its mounts, its daemons, and what happened to them')
    .argument('<pod>', 'name of the pod')
    .option('-n, --namespace <name>', 'namespace of the pod', 'default')
    .addOption(jsonOption());
  for (const option of sourceOptions()) command.addOption(option);
  command
    .addHelpText('after', explainHelp)
    .action(async (name: string, flags: SourceFlags & { readonly namespace: string; readonly json?: true }) => {
      const { environment } = context;
      const { stdout, signal } = environment;
      const source = sourceFrom(flags, environment);
      const kubeConfig = loadKubeConfig(flags, environment);
      const { readStatus } = await import('../status/read-status.ts');
      const { namespace } = flags;
      const { readPodFacts, renderStory, storyAsData } = await import('../status/explain.ts');
      const facts = await readOrRefuse(
        `read pod ${namespace}/${name}`,
        async () => readPodFacts({ kubeConfig, namespace, name }, await readStatus(source, signal)),
        { kind: 'cluster', kubeConfig },
        signal,
      );
      if (facts === undefined) return ends(exitStatus.interrupted);
      const options = { colour: colourFor(stdout, environment.env), width: stdout.columns ?? 80 };
      stdout.write(flags.json ? toJson(storyAsData(facts)) : renderStory(facts, options));
      ends(exitStatus.conformant);
    });
}

function sourceFrom(flags: SourceFlags, environment: Context['environment']): StatusSource {
  const { address, agentNamespace: namespace } = flags;
  if (address === undefined)
    return {
      kind: 'cluster',
      kubeConfig: loadKubeConfig(flags, environment),
      ...(namespace === undefined ? {} : { namespace }),
    };
  if (namespace !== undefined) throw new WrongArgument('--address and --agent-namespace cannot be combined');
  if (!/^[^/\s]+:\d+$/.test(address))
    throw new WrongArgument(`bad --address ${JSON.stringify(address)}: it is HOST:PORT`);
  return { kind: 'address', address };
}

/** Undefined if it was interrupted. @throws CannotRun if the API server refuses or cannot be reached */
async function readOrRefuse<T>(
  request: string,
  read: () => Promise<T>,
  source: StatusSource,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (signal.aborted) return undefined;
    const { CannotDeploy, explainError, httpStatus } = await import('../../recovery/deploy/errors.ts');
    const server =
      source.kind === 'cluster' ? (source.kubeConfig.getCurrentCluster()?.server ?? 'no server') : source.address;
    const known = error instanceof CannotDeploy ? error : explainError(request, server, error);
    if (!(known instanceof CannotDeploy)) throw known;
    const remedy =
      httpStatus(error) === 403 ? `have the ClusterRole ${statusReader} bound to you in this namespace` : known.remedy;
    throw new CannotRun([{ what: known.what, remedy }], { cause: error });
  }
}

/** 1 if a mount cannot be read, 4 if that is not known for every node. */
function statusOf({ nodes, unreachable }: ClusterStatus): ExitStatus {
  const mounts = nodes.flatMap(({ volumes }) => volumes.flatMap((volume) => volume.mounts));
  if (mounts.some(({ state }) => state !== 'healthy' && state !== 'replaced')) return exitStatus.notConformant;
  return unreachable.length > 0 ? exitStatus.inconclusive : exitStatus.conformant;
}
