import type { Command } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import { colourFor } from '../colour.ts';
import { assess, type Finding, missingOf } from '../doctor/assess.ts';
import { gather } from '../doctor/gather.ts';
import { table } from '../doctor/table.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { doctorHelp } from './help.ts';
import { loadKubeConfig } from './kube-config.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { UsageError } from './usage-error.ts';

interface DoctorFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly image?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly secret?: string;
  readonly pods: boolean;
}

/** `rekindle doctor`. */
export function addDoctor(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const { stdout, env } = context.environment;
  program
    .command('doctor')
    .description('say what this machine, or a cluster, can run, with a remedy for each missing thing')
    .option('--context <name>', 'look at the cluster of this context of the kubeconfig')
    .option('--kubeconfig <file>', 'look at the cluster of this kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--image <reference>', 'image, with Node, of the pods that look at the nodes (default: the agent)')
    .option('--no-pods', 'start no pods: what only a pod can see is not looked at')
    .option('--endpoint <url>', 'object storage that is to be looked at')
    .option('--bucket <name>', 'its bucket')
    .option('--secret <namespace/name>', "Secret with the bucket's keys, as the document has it")
    .addHelpText('after', doctorHelp)
    .action(async (flags: DoctorFlags) => {
      const inCluster = flags.context !== undefined || flags.kubeconfig !== undefined;
      const [what, findings] = inCluster
        ? ['This cluster can run it', await ofCluster(flags, context)]
        : ['This machine can run the sandbox', await ofMachine(context)];
      if (context.environment.signal.aborted) return ends(exitStatus.interrupted);
      const missing = missingOf(findings);
      const verdict = missing.length === 0 ? `${what}.` : `${what.replace('can', 'cannot')} yet.`;
      stdout.write(`${table(findings, colourFor(stdout, env))}\n${verdict}\n`);
      ends(missing.length === 0 ? exitStatus.conformant : exitStatus.cannotRun);
    });
}

async function ofMachine({ environment: { env } }: Context): Promise<readonly Finding[]> {
  return assess(await gather({ env, temporary: temporaryFolder(env) }));
}

async function ofCluster(flags: DoctorFlags, { environment }: Context): Promise<readonly Finding[]> {
  const kubeConfig = loadKubeConfig(flags, environment);
  const { endpoint, bucket, secret } = flags;
  if ((endpoint === undefined) !== (bucket === undefined) || (secret !== undefined && bucket === undefined))
    throw new UsageError('--endpoint and --bucket belong together, and --secret to them');
  if (secret !== undefined && !/^[^/]+\/[^/]+$/.test(secret))
    throw new UsageError(`bad --secret ${JSON.stringify(secret)}: it is NAMESPACE/NAME`);
  const store =
    endpoint === undefined || bucket === undefined
      ? undefined
      : { endpoint, bucket, ...(secret === undefined ? {} : { secret }) };
  // The client library's models take a second to load, which the other commands do without.
  const { doctorCluster } = await import('../doctor/cluster/doctor-cluster.ts');
  const { CannotDeploy, defaultOptions } = await import('../../recovery/deploy/index.ts');
  const { kubeletRoot } = defaultOptions;
  try {
    return await doctorCluster({
      kubeConfig,
      store,
      image: flags.pods ? (flags.image ?? defaultOptions.image) : undefined,
      kubeletRoot,
      signal: environment.signal,
    });
  } catch (error) {
    if (error instanceof CannotDeploy) throw new CannotRun([error], { cause: error });
    throw error;
  }
}
