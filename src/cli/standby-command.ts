import type { Command } from 'commander';
import { CannotRun } from '../../clusters/cluster.ts';
import type { Context } from './context.ts';
import { summarize } from './deploy-command.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { standbyHelp } from './help.ts';
import { type KubeConfigFlags, loadKubeConfig } from './kube-config.ts';
import { WrongArgument, wholeNumber } from './options.ts';

interface StandbyFlags extends KubeConfigFlags {
  readonly namespace: string;
  readonly replicas?: number;
  readonly remove: boolean;
  readonly print: boolean;
}

/** `rekindle standby`. */
export function addStandby(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  program
    .command('standby')
    .description('give a dataset a standby: a second FUSE daemon that takes over when the first one dies')
    .argument('<dataset>', 'name of the Dataset')
    .option('-n, --namespace <name>', 'namespace of the Dataset', 'default')
    .option('--replicas <number>', 'number of standbys; those in excess are removed (default: 1)', wholeNumber(1, 3))
    .option('--remove', 'remove all of them', false)
    .option('--print', 'print the manifests and change nothing', false)
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .addHelpText('after', standbyHelp)
    .action(async (dataset: string, flags: StandbyFlags) => {
      await runStandby(dataset, flags, context);
      ends(exitStatus.conformant);
    });
}

async function runStandby(dataset: string, flags: StandbyFlags, { environment }: Context): Promise<void> {
  const { namespace, remove, print } = flags;
  if (remove && (print || flags.replicas !== undefined))
    throw new WrongArgument(`--remove and ${print ? '--print' : '--replicas'} cannot be combined`);
  const { stdout, stderr, signal } = environment;
  // Loaded on demand, because the client library's models take a second to load.
  const { CannotDeploy, renderStandbys, setStandbys, toYaml } = await import('../../recovery/deploy/index.ts');
  const kubeConfig = loadKubeConfig(flags, environment);
  const onProgress = (line: string) => void stderr.write(`${line}\n`);
  const replicas = remove ? 0 : (flags.replicas ?? 1);
  const options = { kubeConfig, namespace, dataset, replicas, signal, onProgress };
  try {
    if (print) {
      stdout.write(toYaml(await renderStandbys(options)));
      return;
    }
    const where = `${kubeConfig.getCurrentContext()}, dataset ${namespace}/${dataset}`;
    stdout.write(summarize(await setStandbys(options), 'changed', 'nothing changed', where));
  } catch (error) {
    if (error instanceof CannotDeploy) throw new CannotRun([error], { cause: error });
    throw error;
  }
}
