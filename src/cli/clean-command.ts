import type { Command } from 'commander';
import { type CleanReport, clean } from '../doctor/clean/clean.ts';
import { parseRunId, type RunId } from '../run-id.ts';
import type { Context } from './context.ts';
import { surroundingsOf } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { cleanHelp } from './help.ts';
import { loadKubeConfig } from './kube-config.ts';
import { WrongArgument } from './options.ts';

interface CleanFlags {
  readonly run?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly dryRun: boolean;
}

/** `rekindle clean`. */
export function addClean(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('clean')
    .description('remove leftovers of killed runs')
    .option('--run <id>', 'only this run, even if it is still running')
    .option('--context <name>', 'clean the cluster of this kubeconfig context instead of this machine')
    .option('--kubeconfig <file>', 'with --context: kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--dry-run', 'print what would be removed, and remove nothing', false)
    .addHelpText('after', cleanHelp)
    .action(async ({ run, dryRun, ...cluster }: CleanFlags) => {
      const chosen = { ...(run !== undefined && { run: checkRunId(run) }), dryRun };
      const inCluster = cluster.context !== undefined || cluster.kubeconfig !== undefined;
      const { lines, leftovers } = inCluster
        ? await cleanIn(cluster, chosen, context)
        : await clean({ ...chosen, surroundings: surroundingsOf(context) });
      context.environment.stdout.write(lines.map((line) => `${line}\n`).join(''));
      ends(leftovers.length > 0 ? exitStatus.leftovers : exitStatus.conformant);
    });
}

async function cleanIn(
  flags: Pick<CleanFlags, 'context' | 'kubeconfig'>,
  chosen: { readonly run?: RunId; readonly dryRun: boolean },
  { environment }: Context,
): Promise<CleanReport> {
  if (flags.context === undefined)
    throw new WrongArgument('--kubeconfig needs --context: the current context is never used implicitly');
  const kubeConfig = loadKubeConfig(flags, environment);
  // Loaded on demand, because the client library's models take a second to load.
  const { cleanCluster } = await import('../doctor/clean/clean-cluster.ts');
  return cleanCluster({ kubeConfig, ...chosen, now: Date.now(), signal: environment.signal });
}

function checkRunId(text: string): RunId {
  const runId = parseRunId(text);
  if (runId === undefined)
    throw new WrongArgument(`bad run id ${JSON.stringify(text)}: it looks like 20261122-134501-k3f9`);
  return runId;
}
