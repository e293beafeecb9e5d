import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { InitFlags } from './cluster-drivers.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { jsonOption, toJson, unknown, WrongArgument } from './options.ts';

const profileHelp = `
Examples:
  rekindle profile init --context staging --driver x.example.com > my-driver.yaml
                                                     a first draft, from what the cluster shows; only reads
  rekindle profile init --context staging --driver x.example.com --look-at-node > my-driver.yaml
                                                     also from the FUSE mounts and processes of a node
  rekindle profile show fluid > my-driver.yaml       a starting point
  rekindle profile validate my-driver.yaml           status 2, and what is wrong by line and column
  rekindle conform --profile my-driver.yaml
`;

/** `rekindle profile`. */
export function addProfile(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const { environment } = context;
  const { cwd, stdout, stderr } = environment;
  const command = program
    .command('profile')
    .description('list, show and validate profiles: what implementations promise and how they are driven')
    .addHelpText('after', profileHelp);

  command
    .command('list')
    .description('list the shipped profiles')
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const { loadProfile, negativeProfileNames, profileNames } = await import('../profiles/load-profile.ts');
      const load = (names: readonly string[]) => Promise.all(names.map((name) => loadProfile(name, cwd)));
      const [shipped, faulty] = await Promise.all([load(await profileNames()), load(await negativeProfileNames())]);
      if (json) {
        stdout.write(toJson({ shipped, faulty }));
        return;
      }
      const width = Math.max(...[...shipped, ...faulty].map(({ name }) => name.length));
      const row = ({ name, title }: { readonly name: string; readonly title: string }) =>
        `${name.padEnd(width)}  ${title}\n`;
      stdout.write(shipped.map(row).join(''));
      stdout.write(`\nFaulty on purpose, to test the harness:\n${faulty.map(row).join('')}`);
    });

  command
    .command('show')
    .description('print a shipped profile as a starting point for your own')
    .argument('<name>')
    .action(async (name: string) => {
      const { profileNames, shippedProfile } = await import('../profiles/load-profile.ts');
      const path = await shippedProfile(name);
      if (path === undefined) throw unknown('profile', name, await profileNames());
      stdout.write(readFileSync(path, 'utf8'));
    });

  command
    .command('init')
    .description('draft a profile of a CSI driver from what a cluster shows of it')
    .requiredOption('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--driver <name>', 'the CSI driver, if the cluster has several')
    .option(
      '--look-at-node',
      'also find the process that serves a volume, by a privileged pod on the node of a pod that uses it; the pod is removed afterwards',
    )
    .option(
      '--image <reference>',
      "with --look-at-node: the harness's image in a registry (default: built here by Docker)",
    )
    .action(async (flags: InitFlags) => {
      const [{ driverNames, draftProfile, findVolumeInUse }, { loadKubeConfig }, asking] = await Promise.all([
        import('../profiles/draft-profile.ts'),
        import('./kube-config.ts'),
        import('./cluster-drivers.ts'),
      ]);
      const kubeConfig = loadKubeConfig(flags, environment);
      const cluster = await asking.askCluster(kubeConfig);
      const names = driverNames(cluster);
      const driver = flags.driver ?? (names.length === 1 ? names[0] : undefined);
      if (driver === undefined)
        throw new WrongArgument(
          names.length === 0
            ? `${flags.context} has no CSIDriver: name one with --driver`
            : `${flags.context} has several CSI drivers: choose one with --driver: ${names.join(', ')}`,
        );
      const inUse = findVolumeInUse(cluster, driver);
      const server = flags.lookAtNode
        ? await asking.lookAtNode(kubeConfig, { flags, driver, inUse, context })
        : undefined;
      const secretKeys = await asking.readSecretKeys(kubeConfig, { cluster, driver, inUse });
      stdout.write(draftProfile(cluster, driver, { server, secretKeys }));
    });

  command
    .command('validate')
    .description('validate a file and report problems by line and column')
    .argument('<file>')
    .action(async (file: string) => {
      const [{ loadProfile }, { BadFile, formatProblems }] = await Promise.all([
        import('../profiles/load-profile.ts'),
        import('../yaml-file.ts'),
      ]);
      const path = resolve(cwd, file);
      try {
        const { name, title } = await loadProfile(path, cwd);
        stdout.write(`${file}: a valid profile: ${name}, ${title}\n`);
      } catch (error) {
        if (!(error instanceof BadFile)) throw error;
        const shown = new BadFile(file, error.problems);
        stderr.write(formatProblems(shown, textOf(path)));
        ends(exitStatus.usage);
      }
    });

  command
    .command('schema')
    .description('print the JSON Schema of profiles, for editors')
    .action(async () => {
      const { profileJsonSchema } = await import('../profiles/profile.ts');
      stdout.write(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`);
    });
}

/** Empty if the file cannot be read, which has been reported by then. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
