import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { UserPod } from '../../clusters/kubernetes/user-pod.ts';
import type { Context } from './context.ts';
import { type ExitStatus, exitStatus } from './exit-status.ts';
import { crashHelp } from './help.ts';
import { type KubeConfigFlags, loadKubeConfig } from './kube-config.ts';
import { parsePath, parseTime, sharedOptions, unknown, WrongArgument } from './options.ts';
import { type RunFlags, runOptions, runVerb } from './run-verb.ts';

/** How long a program is watched after the recovery. */
const defaultWatchMs = 10_000;
/** How long a pod of the user's may take to read again: the kubelet's longest back-off, and a little more. */
const defaultOutageMs = 330_000;

interface CrashFlags extends RunFlags, KubeConfigFlags {
  readonly pod?: string;
  readonly path?: string;
  readonly image?: string;
  readonly yes?: true;
  readonly fault: string;
  readonly recovery: boolean;
  readonly hold: boolean;
  readonly expect?: string;
  readonly for?: number;
}

/** `rekindle crash`. */
export function addCrash(program: Command, context: Context, ends: (status: ExitStatus) => void): void {
  const command = program
    .command('crash')
    .description('reproduce a FUSE crash and show what happens')
    .argument('[command...]', 'after --: program to run in the pod while the daemon crashes')
    .addOption(
      new Option('--fault <name>', 'how the daemon dies; + adds what happens at the same time').default('kill-1'),
    )
    .option('--no-recovery', 'leave the gate off and show what stays broken')
    .option('--expect <text>', 'COMMAND gets its data back if it prints this after the pod reads again')
    .option(
      '--for <time>',
      'how long to watch COMMAND after the recovery (default: 10s), or to wait until --pod reads again (default: 330s)',
      parseTime,
    )
    .option('--hold', 'keep everything running afterwards, and take commands: crash, shell, quit', false)
    .option('--pod <namespace/name>', 'crash the daemon of this running pod of yours, instead of one in the sandbox')
    .option('--context <name>', 'with --pod: context of the kubeconfig, which is never used implicitly')
    .option('--kubeconfig <file>', 'with --pod: kubeconfig (default: KUBECONFIG, or ~/.kube/config)')
    .option('--path <path>', 'with --pod: where the pod mounts the volume, if it has several', parsePath)
    .option('--image <reference>', "with --pod: the harness's image in a registry (default: built here by Docker)")
    .option('--yes', 'with --pod: consent, instead of being asked');
  for (const option of sharedOptions()) command.addOption(option);
  command.addHelpText('after', crashHelp).action(async (program: string[], flags: CrashFlags) => {
    const { fault, recovery, hold, expect, for: watchMs } = flags;
    if (flags.pod !== undefined) return ends(await crashOwnPod(flags.pod, command, context));
    const stray = podOptions.find((name) => command.getOptionValueSource(name) === 'cli');
    if (stray !== undefined) throw new WrongArgument(`--${stray} is for --pod NAMESPACE/NAME`);
    await checkFault(fault);
    if (program.length === 0 && (expect !== undefined || watchMs !== undefined))
      throw new WrongArgument(
        `${expect === undefined ? '--for' : '--expect'} is about a COMMAND: give one after --, as in: rekindle crash --expect ok -- sh -c 'while :; do cat /data/myfile.txt && echo ok; sleep 1; done'`,
      );
    if (!recovery && expect !== undefined)
      throw new WrongArgument('--expect cannot be met with --no-recovery: omit one of them');
    const options = {
      ...runOptions(flags, context),
      fault,
      recovery,
      hold,
      command: program,
      ...(expect !== undefined && { expect }),
      watchMs: watchMs ?? defaultWatchMs,
    };
    const printed = flags.json && 'record.json';
    ends(await runVerb(context, ({ crash }) => crash(options), { printed }));
  });
}

const podOptions = ['context', 'kubeconfig', 'path', 'image', 'yes'] as const;
const sandboxOptions = ['fault', 'recovery', 'expect', 'hold', 'kernelTier', 'daemon'] as const;

/** Crashes the daemon of a pod in the user's cluster, once the user has agreed. @throws WrongArgument, CannotRun */
async function crashOwnPod(given: string, command: Command, context: Context): Promise<ExitStatus> {
  const flags: CrashFlags = command.opts();
  const { environment } = context;
  const stray = sandboxOptions.find((name) => command.getOptionValueSource(name) === 'cli');
  if (stray !== undefined || command.args.length > 0)
    throw new WrongArgument(
      `${stray === undefined ? 'a COMMAND' : `--${stray === 'recovery' ? 'no-recovery' : stray.replace('T', '-t')}`} is for a crash in the sandbox, not for --pod: there the daemon gets SIGKILL, and everything else is as it is`,
    );
  const [namespace, name, ...rest] = given.split('/');
  if (!namespace || !name || rest.length > 0)
    throw new WrongArgument(`bad --pod ${JSON.stringify(given)}: it is NAMESPACE/NAME`);
  if (flags.context === undefined)
    throw new WrongArgument('--pod needs --context: the current context is never used implicitly');
  const kubeConfig = loadKubeConfig(flags, environment);
  // Loaded on demand, because the client library's models take a second to load.
  const { explain } = await import('../../clusters/kubernetes/explain.ts');
  const { readUserPod } = await import('../../clusters/kubernetes/user-pod.ts');
  environment.stderr.write(`… reading pod ${given}\n`);
  const pod = await readUserPod(kubeConfig, { namespace, name }).catch((error: unknown) => {
    throw explain(error, kubeConfig.getCurrentCluster()?.server ?? 'the API server');
  });
  if (!(await consents(pod, flags, context))) {
    environment.stderr.write('rekindle: nothing was created, and nothing was crashed\n');
    return exitStatus.interrupted;
  }
  const { path, image, for: timeoutMs = defaultOutageMs } = flags;
  const text = kubeConfig.exportConfig();
  const options = {
    ...runOptions(flags, context),
    kubeConfig: text,
    context: flags.context,
    pod,
    ...(path !== undefined && { path }),
    ...(image !== undefined && { image }),
    timeoutMs,
  };
  const printed = flags.json && 'record.json';
  const kubernetes = { cluster: 'existing', kubeConfig: text } as const;
  return runVerb(context, ({ crashPod }) => crashPod(options), { kubernetes, printed });
}

/** What the crash does to the cluster, one sentence each. */
function explainCrash({ namespace, name, node, sharers }: UserPod, context: string): readonly string[] {
  return [
    `In ${context}, this sends SIGKILL to the FUSE daemon that serves the volume of pod ${namespace}/${name} on node ${node}.`,
    'Until the daemon is back and the mount is recovered, every read of the pod fails; if nothing recovers it, until the pod is restarted.',
    sharers.length === 0
      ? 'Pods of other namespaces that the same daemon serves lose their data, too.'
      : `So does every read of ${sharers.join(', ')}, and of pods of other namespaces that the same daemon serves.`,
    `For the run it creates a namespace with a privileged pod on ${node}, and deletes both afterwards. It changes nothing that is there.`,
  ];
}

/** @throws WrongArgument without a terminal to ask on */
async function consents(pod: UserPod, flags: CrashFlags, { environment }: Context): Promise<boolean> {
  const { stdin, stderr, signal } = environment;
  const sentences = explainCrash(pod, flags.context ?? '');
  if (flags.yes) return true;
  if (stdin?.isTTY !== true)
    throw new WrongArgument(`${sentences.join(' ')} There is no terminal to ask on: consent with --yes`);
  for (const sentence of sentences) stderr.write(`${sentence}\n`);
  const terminal = createInterface({ input: stdin });
  stderr.write('Crash it? [y/N] ');
  const answer = await terminal.question('', { signal }).catch(() => '');
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

/** Checks `sigkill`, or a crash combined with other faults: `agent-kill+sigkill`. @throws WrongArgument */
async function checkFault(given: string): Promise<void> {
  // Loaded on demand, because the client library's models take a second to load.
  const { crashFaults: faults, companions } = await import('../faults/catalogue.ts');
  const parts = given.split('+');
  const unknownPart = parts.find((part) => !faults.includes(part) && !(parts.length > 1 && companions.includes(part)));
  if (unknownPart !== undefined && companions.includes(unknownPart))
    throw new WrongArgument(
      `"${unknownPart}" alone crashes no daemon: combine it with one of ${faults.join(', ')} with +`,
    );
  if (unknownPart !== undefined)
    throw unknown('fault', unknownPart, parts.length > 1 ? [...faults, ...companions] : faults);
  if (!parts.some((part) => faults.includes(part)))
    throw new WrongArgument(`"${given}" crashes no daemon: combine it with one of ${faults.join(', ')} with +`);
}
