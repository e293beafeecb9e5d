import type { Command } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { deployHelp } from './help.ts';
import { type KubeConfigFlags, loadKubeConfig } from './kube-config.ts';
import { WrongArgument, wholeNumber } from './options.ts';

interface DeployFlags extends KubeConfigFlags {
  readonly namespace?: string;
  readonly image?: string;
  readonly timeout: number;
  readonly dryRun: boolean;
  readonly print: boolean;
  readonly remove: boolean;
  readonly beside: boolean;
  readonly standby: boolean;
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
    .option('--timeout <seconds>', 'how long to wait until everything is ready', wholeNumber(1, 86_400), 120)
    .option('--beside', 'install recovery only, alongside a node plugin that keeps publishing', false)
    .option('--standby', 'turn on recovery and standbys: --feature-gates=FuseRecovery=true,FuseStandby=true', false)
    .option('--dry-run', 'print what would change, and change nothing', false)
    .option('--print', 'print the manifests without contacting a cluster', false)
    .option('--remove', 'remove a deployment', false)
    .addHelpText('after', deployHelp)
    .action(async (agentArgs: readonly string[], flags: DeployFlags) => {
      try {
        await runDeploy(agentArgs, flags, context);
        ends(exitStatus.conformant);
      } catch (error) {
        // An interrupted deployment has removed what it created.
        if (!context.environment.signal.aborted) throw error;
        ends(exitStatus.interrupted);
      }
    });
}

async function runDeploy(agentArgs: readonly string[], flags: DeployFlags, { environment }: Context): Promise<void> {
  const { stdout, stderr, signal } = environment;
  if (flags.remove && flags.print) throw new WrongArgument('--remove and --print cannot be combined');
  // Loaded on demand, because the client library's models take a second to load.
  const { CannotDeploy, defaultOptions, deploy, manifests, besideManifests, names, removeDeployment, toYaml } =
    await import('../../recovery/deploy/index.ts');
  const { beside, standby, dryRun } = flags;
  const namespace = flags.namespace ?? (beside ? names.besideNamespace : names.namespace);
  const image = flags.image ?? defaultOptions.image;
  if (flags.print) {
    const gates = { gate: beside || standby, furtherGates: standby ? (['FuseStandby'] as const) : [] };
    const options = { ...defaultOptions, namespace, image, agentArgs, ...gates };
    stdout.write(toYaml((beside ? besideManifests : manifests)(options)));
    return;
  }
  const kubeConfig = loadKubeConfig(flags, environment);
  const onProgress = (line: string) => void stderr.write(`${line}\n`);
  const where = `${kubeConfig.getCurrentContext()}, namespace ${namespace}`;
  try {
    if (flags.remove) {
      const { removed } = await removeDeployment({ kubeConfig, namespace, beside, dryRun, signal, onProgress });
      stdout.write(summarize(removed, dryRun ? 'would be removed' : 'removed', 'nothing to remove', where));
      return;
    }
    const timeoutMs = flags.timeout * 1000;
    const asked = { kubeConfig, namespace, image, agentArgs, beside, standby, dryRun, timeoutMs, signal, onProgress };
    const { changed } = await deploy(asked);
    stdout.write(summarize(changed, dryRun ? 'would change' : 'changed', 'nothing changed', where));
  } catch (error) {
    if (error instanceof CannotDeploy) throw new CannotRun([error], { cause: error });
    throw error;
  }
}

/** `staging, namespace fluid-system: 2 changed`, and a line for each. */
export function summarize(lines: readonly string[], what: string, nothing: string, where: string): string {
  if (lines.length === 0) return `${where}: ${nothing}\n`;
  return `${where}: ${lines.length} ${what}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
