import type { Command } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import { colourFor } from '../colour.ts';
import { assess, type Finding, formatFindings, missingRequirements } from '../doctor/assess.ts';
import { gather } from '../doctor/gather.ts';
import type { Context } from './context.ts';
import { temporaryFolder } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { doctorHelp } from './help.ts';
import { loadKubeConfig } from './kube-config.ts';
import { jsonOption, parsePath, toJson, WrongArgument } from './options.ts';

interface DoctorFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly image?: string;
  readonly endpoint?: string;
  readonly bucket?: string;
  readonly secret?: string;
  readonly kubeletRoot?: string;
  readonly mountRoot?: string;
  readonly pods: boolean;
  readonly json?: true;
}

/** `rekindle doctor`. */
export function addDoctor(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const { stdout, env } = context.environment;
  program
    .command('doctor')
    .description('check what this machine or a cluster can run, with a remedy for everything that is missing')
    .option('--context <name>', 'check the cluster of this kubeconfig context')
    .option('--kubeconfig <file>', 'check the cluster of this kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--image <reference>', 'image of the pods that check the nodes; needs Node (default: the agent image)')
    .option('--no-pods', 'start no pods; skip the checks that need one')
    .option('--endpoint <url>', 'object storage to check')
    .option('--bucket <name>', 'bucket to check')
    .option('--secret <namespace/name>', "Secret with the bucket's keys, in the documented format")
    .addOption(jsonOption())
    .option('--kubelet-root <path>', "the kubelet's directory, as for rekindle deploy", parsePath)
    .option('--mount-root <path>', 'the directory below which FUSE daemons mount, as for rekindle deploy', parsePath)
    .addHelpText('after', doctorHelp)
    .action(async (flags: DoctorFlags) => {
      const inCluster = flags.context !== undefined || flags.kubeconfig !== undefined;
      const [claim, findings] = inCluster
        ? ['This cluster can run it', await checkCluster(flags, context)]
        : ['This machine can run the sandbox', await checkMachine(context)];
      if (context.environment.signal.aborted) return ends(exitStatus.interrupted);
      const missing = missingRequirements(findings);
      const verdict = missing.length === 0 ? `${claim}.` : `${claim.replace('can', 'cannot')} yet.`;
      const text = `${formatFindings(findings, colourFor(stdout, env))}\n${verdict}\n`;
      stdout.write(flags.json ? toJson({ canRun: missing.length === 0, findings }) : text);
      ends(missing.length === 0 ? exitStatus.conformant : exitStatus.cannotRun);
    });
}

async function checkMachine({ environment: { env } }: Context): Promise<readonly Finding[]> {
  return assess(await gather({ env, temporary: temporaryFolder(env) }));
}

async function checkCluster(flags: DoctorFlags, { environment }: Context): Promise<readonly Finding[]> {
  const kubeConfig = loadKubeConfig(flags, environment);
  const { endpoint, bucket, secret } = flags;
  if ((endpoint === undefined) !== (bucket === undefined) || (secret !== undefined && bucket === undefined))
    throw new WrongArgument('--endpoint and --bucket belong together, and --secret to them');
  if (secret !== undefined && !/^[^/]+\/[^/]+$/.test(secret))
    throw new WrongArgument(`bad --secret ${JSON.stringify(secret)}: it is NAMESPACE/NAME`);
  const store =
    endpoint === undefined || bucket === undefined
      ? undefined
      : { endpoint, bucket, ...(secret === undefined ? {} : { secret }) };
  // Loaded on demand, because the client library's models take a second to load.
  const { doctorCluster } = await import('../doctor/cluster/gather-cluster.ts');
  const { CannotDeploy, defaultOptions } = await import('../../recovery/deploy/index.ts');
  const { kubeletRoot = defaultOptions.kubeletRoot, mountRoot = defaultOptions.mountRoot } = flags;
  try {
    return await doctorCluster({
      kubeConfig,
      store,
      image: flags.pods ? (flags.image ?? defaultOptions.image) : undefined,
      kubeletRoot,
      mountRoot,
      signal: environment.signal,
    });
  } catch (error) {
    if (error instanceof CannotDeploy) throw new CannotRun([error], { cause: error });
    throw error;
  }
}
