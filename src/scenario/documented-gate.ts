import { AppsV1Api, type V1DaemonSet } from '@kubernetes/client-node';
import type { ExecResult } from '../../clusters/cluster.ts';
import type { Trial } from './trial.ts';

/** Step 1 of the document, byte for byte. */
export const turnGateOn =
  "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | sed 's/FuseRecovery=false/FuseRecovery=true/g' | kubectl apply -f -";
export const showGate = "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | grep '\\- \\-\\-feature-gates='";

/** What a documented command prints. @throws where it fails, with what it said. */
export async function printed(trial: Trial, line: string): Promise<string> {
  const { stdout, stderr, exitCode }: ExecResult = await trial.session.cluster.commandLine(line);
  if (exitCode !== 0) throw new Error(`status ${exitCode} of ${line}: ${stderr.trim() || '(said nothing)'}`);
  return stdout;
}

/** Turns the gate on as documented, and waits until the changed agent runs on every node. What the command printed. */
export async function turnOnAsDocumented(trial: Trial): Promise<string> {
  trial.agentWasChanged({ fuseRecovery: true });
  const said = await printed(trial, turnGateOn);
  await trial.poll({
    what: 'the changed node agent runs everywhere',
    look: () => nodePlugin(trial),
    until: ({ metadata, status }) =>
      status?.observedGeneration === metadata?.generation &&
      status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
      status?.numberAvailable === status?.desiredNumberScheduled,
    say: ({ metadata, status }) => `generation ${metadata?.generation}, status ${JSON.stringify(status ?? {})}`,
  });
  return said;
}

/** Counts the changes of what the DaemonSet is to be. */
export async function generation(trial: Trial): Promise<number> {
  return (await nodePlugin(trial)).metadata?.generation ?? 0;
}

function nodePlugin(trial: Trial): Promise<V1DaemonSet> {
  const apps = trial.session.cluster.kubeConfig.makeApiClient(AppsV1Api);
  return apps.readNamespacedDaemonSet({ name: 'csi-nodeplugin-fluid', namespace: 'fluid-system' });
}
