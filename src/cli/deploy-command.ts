import { type Command, InvalidArgumentError, Option } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import type { DeployPlacement } from '../../recovery/deploy/index.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { deployHelp } from './help.ts';
import { type KubeConfigFlags, loadKubeConfig } from './kube-config.ts';
import { parsePath, parsePeriod, WrongArgument, wholeNumber } from './options.ts';

interface DeployFlags extends KubeConfigFlags {
  readonly namespace?: string;
  readonly image?: string;
  readonly timeout: number;
  readonly dryRun: boolean;
  readonly print: boolean;
  readonly remove: boolean;
  readonly beside: boolean;
  readonly standby: boolean;
  readonly takeover: boolean;
  readonly fallback: boolean;
  readonly patchNodes: boolean;
  readonly kubeletKubeConfig?: string;
  readonly kubeletRoot?: string;
  readonly mountRoot?: string;
  readonly webhookPort?: number;
  readonly webhookHostNetwork?: boolean;
  readonly runtimeClass?: string;
}

/** `rekindle deploy`. */
export function addDeploy(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('deploy')
    .description('install or update the node agent and its webhook in a cluster')
    .argument('[agent-flags...]', 'further flags of the node agent, after --, as in -- --abort-hung-after=30s')
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--namespace <name>', 'namespace of all parts (default: fluid-system; with --beside: rekindle-system)')
    .option('--image <reference>', 'image of the agent and the webhook')
    .addOption(
      new Option('--timeout <time>', 'how long to wait until everything is ready')
        .argParser(parsePeriod)
        .default(120_000, '2m'),
    )
    .option('--beside', 'install recovery only, alongside a node plugin that keeps publishing', false)
    .option('--standby', 'turn on recovery and standbys: --feature-gates=FuseRecovery=true,FuseStandby=true', false)
    .option('--takeover', 'turn on recovery and takeover, and deploy the keeper that it needs', false)
    .option(
      '--kubelet-root <path>',
      "the kubelet's directory on the nodes, or a symbolic link to it (default: what the kubelets report, or /var/lib/kubelet)",
      parsePath,
    )
    .option(
      '--mount-root <path>',
      "directory of the nodes below which FUSE daemons mount, Fluid's runtime.mountRoot (default: /runtime-mnt)",
      parsePath,
    )
    .option(
      '--webhook-port <port>',
      'port of the webhook that the API server reaches (default: 9443)',
      wholeNumber(1024, 65_535),
    )
    .option('--webhook-host-network', 'the webhook uses the network of its node, for API servers that reach no pods')
    .option(
      '--runtime-class <name>',
      'RuntimeClass of all pods, if the default one of the nodes is a sandbox',
      parseName,
    )
    .option(
      '--fallback',
      'let pods that are left alone ask for a restart or an eviction: --fallback=annotated, with its RBAC',
      false,
    )
    .option(
      '--kubelet-kube-config <path>',
      "the kubelet's kubeconfig on the nodes, by which they get the labels that place FUSE daemons (default: /etc/kubernetes/kubelet.conf)",
      parsePath,
    )
    .option(
      '--patch-nodes',
      "let the agent's service account set those labels instead: --patch-nodes=account, with its RBAC",
      false,
    )
    .option('--dry-run', 'print what would change, and change nothing', false)
    .option('--print', 'print the manifests without contacting a cluster', false)
    .option('--remove', 'remove a deployment', false)
    .addHelpText('after', deployHelp)
    .action(async (agentArgs: readonly string[], flags: DeployFlags) => {
      try {
        ends(await runDeploy([...agentFlags(flags), ...agentArgs], flags, context));
      } catch (error) {
        // An interrupted deployment has removed what it created.
        if (!context.environment.signal.aborted) throw error;
        ends(exitStatus.interrupted);
      }
    });
}

/** Options that become flags of the agent. */
function agentFlags({ fallback, patchNodes, kubeletKubeConfig }: DeployFlags): readonly string[] {
  return [
    ...(fallback ? ['--fallback=annotated'] : []),
    ...(kubeletKubeConfig === undefined ? [] : [`--kubelet-kube-config=${kubeletKubeConfig}`]),
    ...(patchNodes ? ['--patch-nodes=account'] : []),
  ];
}

async function runDeploy(
  agentArgs: readonly string[],
  flags: DeployFlags,
  { environment }: Context,
): Promise<ExitStatus> {
  const { stdout, stderr, signal } = environment;
  if (flags.remove && flags.print) throw new WrongArgument('--remove and --print cannot be combined');
  // Loaded on demand, because the client library's models take a second to load.
  const { CannotDeploy, defaultOptions, deploy, manifests, besideManifests, names, removeDeployment, toYaml } =
    await import('../../recovery/deploy/index.ts');
  const { beside, standby, takeover, dryRun } = flags;
  const furtherGates = [
    ...(standby ? (['FuseStandby'] as const) : []),
    ...(takeover ? (['FuseTakeover'] as const) : []),
  ];
  const namespace = flags.namespace ?? (beside ? names.besideNamespace : names.namespace);
  const image = flags.image ?? defaultOptions.image;
  const placement = placementOf(flags);
  if (flags.print) {
    const gate = beside || furtherGates.length > 0;
    const options = { ...defaultOptions, ...placement, namespace, image, agentArgs, gate, furtherGates };
    stdout.write(toYaml((beside ? besideManifests : manifests)(options)));
    return exitStatus.conformant;
  }
  const kubeConfig = loadKubeConfig(flags, environment);
  const onProgress = (line: string) => void stderr.write(`${line}\n`);
  const where = `${kubeConfig.getCurrentContext()}, namespace ${namespace}`;
  try {
    if (flags.remove) {
      const { removed } = await removeDeployment({ kubeConfig, namespace, beside, dryRun, signal, onProgress });
      stdout.write(summarize(removed, dryRun ? 'would be removed' : 'removed', 'nothing to remove', where));
      return exitStatus.conformant;
    }
    const { timeout: timeoutMs } = flags;
    const options = { namespace, image, agentArgs, placement, beside, furtherGates, dryRun };
    const { changed, incomplete } = await deploy({ kubeConfig, ...options, timeoutMs, signal, onProgress });
    stdout.write(summarize(changed, dryRun ? 'would change' : 'changed', 'nothing changed', where));
    if (incomplete.length === 0) return exitStatus.conformant;
    stdout.write(summarize(incomplete, 'not complete yet', '', where));
    stderr.write('rekindle: deployed in part: what is ready works; mend the rest and run it again\n');
    return exitStatus.partial;
  } catch (error) {
    if (error instanceof CannotDeploy) throw new CannotRun([error], { cause: error });
    throw error;
  }
}

/** Without the options that were not given. */
function placementOf({
  kubeletRoot,
  mountRoot,
  webhookPort,
  webhookHostNetwork,
  runtimeClass,
}: DeployFlags): DeployPlacement {
  return {
    ...(kubeletRoot !== undefined && { kubeletRoot }),
    ...(mountRoot !== undefined && { mountRoot }),
    ...(webhookPort !== undefined && { webhookPort }),
    ...(webhookHostNetwork !== undefined && { webhookHostNetwork }),
    ...(runtimeClass !== undefined && { runtimeClass }),
  };
}

/** The name of a cluster-scoped object (RFC 1123). */
function parseName(text: string): string {
  if (/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Accepted are names of lower case letters, digits, dots and hyphens.');
}

/** `staging, namespace fluid-system: 2 changed`, and a line for each. */
export function summarize(lines: readonly string[], what: string, nothing: string, where: string): string {
  if (lines.length === 0) return `${where}: ${nothing}\n`;
  return `${where}: ${lines.length} ${what}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
