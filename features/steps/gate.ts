import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { Given, Then, When } from '@cucumber/cucumber';
import { AppsV1Api, type V1DaemonSet } from '@kubernetes/client-node';
import { requireMember } from '../../clusters/cluster.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Step 1 of the document, byte for byte. */
const turnGateOn =
  "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | sed 's/FuseRecovery=false/FuseRecovery=true/g' | kubectl apply -f -";
const showGate = "kubectl get ds -n fluid-system csi-nodeplugin-fluid -oyaml | grep '\\- \\-\\-feature-gates='";

Given('FUSE recovery is enabled', async function (this: RekindleWorld) {
  await this.scenario.setRecovery(true);
});

Given("FUSE recovery is as it is by default, without the gate's flag", async function (this: RekindleWorld) {
  await this.scenario.setRecovery('default');
});

When('FUSE recovery is turned on', async function (this: RekindleWorld) {
  await this.scenario.setRecovery(true);
});

When('FUSE recovery is turned off', async function (this: RekindleWorld) {
  await this.scenario.setRecovery(false);
});

When(
  'the documented command turns the gate on, and prints {string}',
  async function (this: RekindleWorld, line: string) {
    strictEqual(await turnOn(this.scenario), `${line}\n`);
  },
);

/** The node plugin before a command that must not change it. */
const pluginsBefore = new WeakMap<RekindleWorld, V1DaemonSet>();

When('the documented command is run once more', async function (this: RekindleWorld) {
  pluginsBefore.set(this, await readNodePlugin(this.scenario));
  await turnOn(this.scenario);
});

Then('the node plugin is as it was', async function (this: RekindleWorld) {
  const { metadata, spec } = await readNodePlugin(this.scenario);
  const before = pluginsBefore.get(this);
  strictEqual(metadata?.generation, before?.metadata?.generation);
  deepStrictEqual(spec, before?.spec);
});

Then('the documented command shows {string}', async function (this: RekindleWorld, line: string) {
  strictEqual((await outputOf(this.scenario, showGate)).trim(), line);
});

/** Turns the gate on as documented and waits until the changed agent runs on every node. Returns the command's output. */
async function turnOn(scenario: Scenario): Promise<string> {
  scenario.agentWasChanged({ fuseRecovery: true });
  const output = await outputOf(scenario, turnGateOn);
  await scenario.eventually({
    condition: 'the changed node agent runs everywhere',
    read: () => readNodePlugin(scenario),
    until: ({ metadata, status }) =>
      status?.observedGeneration === metadata?.generation &&
      status?.updatedNumberScheduled === status?.desiredNumberScheduled &&
      status?.numberAvailable === status?.desiredNumberScheduled,
    format: ({ metadata, status }) => `generation ${metadata?.generation}, status ${JSON.stringify(status ?? {})}`,
  });
  return output;
}

async function outputOf({ session }: Scenario, line: string): Promise<string> {
  const { stdout, stderr, exitCode } = await requireMember(session.cluster, 'kubectl').run(line);
  ok(exitCode === 0, `status ${exitCode} of ${line}: ${stderr.trim() || '(no output)'}`);
  return stdout;
}

function readNodePlugin({ session }: Scenario): Promise<V1DaemonSet> {
  const apps = session.cluster.kubeConfig.makeApiClient(AppsV1Api);
  return apps.readNamespacedDaemonSet({ name: 'csi-nodeplugin-fluid', namespace: 'fluid-system' });
}
