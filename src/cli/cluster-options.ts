import { InvalidArgumentError, Option } from 'commander';
import type { KubernetesChoice } from '../../clusters/choose-cluster.ts';
import type { Profile } from '../profiles/profile.ts';
import { explainBreakage } from '../run/explain-breakage.ts';
import type { Context } from './context.ts';
import { loadKubeConfig } from './kube-config.ts';
import { WrongArgument, wholeNumber } from './options.ts';

/** Flags that choose where to run, unparsed. */
export interface ClusterFlags {
  readonly cluster: string;
  readonly nodes?: number;
  readonly kubernetesImage?: string;
  readonly keep?: boolean;
  readonly reuse?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly iKnowThisBreaksMounts?: boolean;
}

/** Options of every command that can run outside the sandbox. */
export function clusterOptions(): readonly Option[] {
  return [
    new Option('--cluster <name>', 'where to run')
      .choices(['sandbox', 'kind', 'minikube', 'existing'])
      .default('sandbox'),
    new Option(
      '--nodes <number>',
      'kind, minikube: ordinary nodes, in addition to a virtual one (default: 1)',
    ).argParser(wholeNumber(1, 8)),
    new Option('--kubernetes-image <image>', 'kind: image of the nodes, kindest/node:vX.Y.Z; minikube: a version'),
    new Option('--keep', 'kind, minikube: keep the cluster, and print how to use and remove it'),
    new Option(
      '--reuse <name>',
      'kind, minikube: use the cluster of this name, created if it does not exist',
    ).argParser(parseClusterName),
    new Option('--context <name>', 'existing: context of the kubeconfig'),
    new Option('--kubeconfig <file>', 'existing: kubeconfig (default: KUBECONFIG, or ~/.kube/config)'),
    new Option('--i-know-this-breaks-mounts', 'existing: consent to crashing FUSE daemons and the node agent there'),
  ];
}

function parseClusterName(text: string): string {
  if (/^[a-z0-9][a-z0-9.-]*$/.test(text)) return text;
  throw new InvalidArgumentError('Accepted are names of lower case letters, digits, dots and hyphens.');
}

/** The validated choice. Without `kubernetes` it is the sandbox. */
export interface ChosenCluster {
  readonly cluster: string;
  readonly kubernetes?: KubernetesChoice;
}

const createdClusterFlags = ['nodes', 'kubernetesImage', 'keep', 'reuse'] as const;
const existingClusterFlags = ['context', 'kubeconfig', 'iKnowThisBreaksMounts'] as const;

/** Validates the flags. Reads the kubeconfig for an existing cluster. `profile`: Rekindle's own if absent. @throws WrongArgument */
export async function chosenCluster(
  flags: ClusterFlags,
  { environment }: Pick<Context, 'environment'>,
  profile?: Profile,
): Promise<ChosenCluster> {
  const { cluster } = flags;
  if (cluster === 'existing') {
    refuseFlags(flags, createdClusterFlags, 'kind and minikube');
    return { cluster, kubernetes: await existing(flags, environment, profile) };
  }
  refuseFlags(flags, existingClusterFlags, 'existing');
  if (cluster !== 'kind' && cluster !== 'minikube') {
    refuseFlags(flags, createdClusterFlags, 'kind and minikube');
    return { cluster };
  }
  const { reuse, keep = false, kubernetesImage, nodes = 1 } = flags;
  return {
    cluster,
    kubernetes: {
      cluster,
      nodes,
      keep,
      ...(kubernetesImage !== undefined && { nodeImage: kubernetesImage }),
      ...(reuse !== undefined && { reuse }),
    },
  };
}

async function existing(
  { context, kubeconfig, iKnowThisBreaksMounts }: ClusterFlags,
  environment: Context['environment'],
  profile: Profile | undefined,
): Promise<KubernetesChoice> {
  if (context === undefined)
    throw new WrongArgument('--cluster existing needs --context: the current context is never used implicitly');
  if (iKnowThisBreaksMounts !== true) {
    const sentences = explainBreakage(profile, JSON.stringify(context)).join(' ');
    throw new WrongArgument(
      `FUSE daemons and the node agent of ${JSON.stringify(context)} would be crashed: consent with --i-know-this-breaks-mounts. ${sentences}`,
    );
  }
  for (const sentence of explainBreakage(profile, context)) environment.stderr.write(`${sentence}\n`);
  const kubeConfig = loadKubeConfig({ context, ...(kubeconfig !== undefined && { kubeconfig }) }, environment);
  const { agent, find } = profile ?? {};
  if (find === undefined && agent?.command !== undefined)
    throw new WrongArgument(
      `the profile ${profile?.name} does not say which DaemonSet of the cluster it is about: add find.daemonSet`,
    );
  return { cluster: 'existing', kubeConfig: kubeConfig.exportConfig(), ...(find && { theirs: find.daemonSet }) };
}

/** Refuses flags that would otherwise be ignored. */
function refuseFlags(flags: ClusterFlags, names: readonly (keyof ClusterFlags)[], places: string): void {
  const given = names.find((name) => flags[name] !== undefined);
  if (given === undefined) return;
  const flag = `--${given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new WrongArgument(`${flag} is for --cluster ${places}, not for --cluster ${flags.cluster}`);
}
