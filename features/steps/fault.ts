import { Given, Then, When } from '@cucumber/cucumber';
import { failsCleanly } from '../../src/checks/held-file.ts';
import { isLeftAlone } from '../../src/checks/untouched.ts';
import { faultNamed as faultOrNone } from '../../src/faults/catalogue.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import type { Pod } from '../../src/scenario/pod.ts';
import type { RekindleWorld } from '../support/world.ts';

/** What is done, in the words of a scenario, and the fault that it is. */
const sentences: Readonly<Record<string, string>> = {
  '"kill 1" is run in the FUSE pod': 'kill-1',
  "the FUSE daemon's memory runs out": 'oom',
  "the FUSE daemon's connection is aborted": 'abort',
  'the FUSE pod is deleted': 'pod-delete',
  'the FUSE daemon dies and dies again as soon as it is back': 'crash-during-recovery',
  'the FUSE daemon dies again and again': 'crash-loop',
  'the FUSE daemon hangs': 'hang',
  'the FUSE daemon stops to answer one operation': 'hang-operation',
  'the node agent is killed': 'agent-kill',
  'the node agent is to die when one of the two mounts of the pod is replaced': 'agent-kill-midway',
  'the node agent is to die between beneath and detach of the first': 'agent-kill-half-done',
  'the node agent is to die between beneath and detach of the last': 'agent-kill-half-done-last',
  'the node agent is ended for an upgrade': 'agent-upgrade',
  "the application's container crashes": 'app-restart',
  'another pod of the dataset is created': 'new-pod',
  'the application pod is deleted': 'pod-delete-while-dead',
  'the node is drained': 'drain',
  'the kubelet is restarted': 'kubelet-restart',
  'the object store is not to be reached': 'store-down',
  'the object store is slow': 'store-slow',
  'the FUSE daemons of both datasets are killed at once': 'two-datasets',
  'the FUSE daemon is killed under the many pods': 'many-pods',
  'the FUSE daemon is killed under the empty dataset': 'empty-dataset',
  'the FUSE daemon is killed under the volume inside the dataset': 'volume-below',
  'the FUSE daemon is killed under the open file': 'open-file',
};

function faultNamed(name: string): Fault {
  const fault = faultOrNone(name);
  if (!fault) throw new Error(`no fault ${name}`);
  return fault;
}

for (const [sentence, name] of Object.entries(sentences))
  When(sentence, async function (this: RekindleWorld) {
    await this.dataset.daemon.inject(faultNamed(name));
  });

When('the node is switched off and on, and the FUSE daemon comes late', async function (this: RekindleWorld) {
  await this.dataset.daemon.inject(faultNamed('node-reboot'), { staysDown: true });
});

When('these happen at once: {}', async function (this: RekindleWorld, names: string) {
  await this.dataset.daemon.inject(faultNamed(names));
});

When('the FUSE daemon is killed again', async function (this: RekindleWorld) {
  await this.dataset.daemon.inject(sigkill);
});

When('the FUSE daemon beside {string} is killed from its node', async function (this: RekindleWorld, pod: string) {
  await this.namespace.pod(pod).daemon.inject(sigkill);
});

When('that is over', async function (this: RekindleWorld) {
  await this.scenario.faults.heal();
});

Given('the node agent aborts what hangs', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ abortHungAfter: '500ms' });
});

Given(
  'the dataset {string}, whose daemon does not unmount when it is ended',
  async function (this: RekindleWorld, name: string) {
    await this.create(name, { behaviour: { onTerm: 'exit' } });
  },
);

Given('the dataset {string}, whose daemon can lose an operation', async function (this: RekindleWorld, name: string) {
  await this.create(name, { behaviour: { onUsr2: { hang: ['readdir'] } } });
});

Given(
  'the dataset {string}, whose daemon allows its mounts to be idmapped',
  async function (this: RekindleWorld, name: string) {
    await this.create(name, { behaviour: { idmap: true } });
  },
);

Given('the dataset {string} without any file', async function (this: RekindleWorld, name: string) {
  await this.create(name, { files: {} });
});

Given('the dataset {string} behind an object store that can fail', async function (this: RekindleWorld, name: string) {
  await this.create(name, { faultyStore: true });
});

Given('the dataset {string} with files of its own', async function (this: RekindleWorld, name: string) {
  await this.create(name, { files: { myfile: Buffer.from(`this is ${name}\n`), [name]: Buffer.from(name.repeat(9)) } });
});

/** Name of the program that holds a file open, in `output` events. */
const fileHolder = ({ name }: Pod) => `held file in ${name}`;

Given('the application holds a file open', async function (this: RekindleWorld) {
  const name = fileHolder(this.pod);
  await this.pod.runProgram({ program: 'heldFile', args: ['/data/myfile.txt'], name });
  await this.scenario.happens(
    'the held file is read',
    (event) => event.kind === 'output' && event.program === name && event.text === 'ok',
  );
});

Then('the file that it holds open fails cleanly, and for ever', async function (this: RekindleWorld) {
  const program = fileHolder(this.pod);
  const since = this.session.history.now();
  await this.scenario.eventually({
    condition: 'the held file is tried again',
    read: () =>
      this.history.filter((event) => event.kind === 'output' && event.program === program && event.at > since),
    until: ({ length }) => length >= 5,
    format: ({ length }) => `${length} reads`,
  });
  this.scenario.judge(failsCleanly(this.timeline, { program, kernel: this.session.cluster.kernel }));
});

Then('the volume is left alone, for longer than the period of the agent', async function (this: RekindleWorld) {
  await this.scenario.watchFor(this.session.cluster.watchMs);
});

Then('all that time the volume was left alone, for {string}', function (this: RekindleWorld, fault: string) {
  this.scenario.judge(isLeftAlone(this.timeline, { ...this.subject, fault }));
});

Then('the node agent died of it', async function (this: RekindleWorld) {
  const since = this.scenario.lastFaultAt;
  await this.scenario.happens(
    'the node agent dies',
    (event) => event.kind === 'process' && event.role === 'agent' && event.change === 'exited' && event.at > since,
  );
});
