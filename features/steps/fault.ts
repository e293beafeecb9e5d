import { Given, Then, When } from '@cucumber/cucumber';
import { failsCleanly } from '../../src/checks/held-file.ts';
import { isLeftAlone } from '../../src/checks/untouched.ts';
import { sigkill } from '../../src/faults/daemon.ts';
import type { Fault } from '../../src/faults/fault.ts';
import type { ScenarioPod } from '../../src/scenario/pod.ts';
import type { RekindleWorld } from '../support/world.ts';

When('{fault}', async function (this: RekindleWorld, fault: Fault) {
  await this.dataset.daemon.inject(fault);
});

When('{fault}, and the FUSE daemon comes late', async function (this: RekindleWorld, fault: Fault) {
  await this.dataset.daemon.inject(fault, { staysDown: true });
});

When('the FUSE daemon beside {string} is killed from its node', async function (this: RekindleWorld, pod: string) {
  await this.namespace.pod(pod).daemon.inject(sigkill);
});

Given('the node agent aborts connections that hang', async function (this: RekindleWorld) {
  await this.scenario.restartAgent({ abortHungAfter: '500ms' });
});

Given(
  'the dataset {string}, whose daemon does not unmount when it is ended',
  async function (this: RekindleWorld, name: string) {
    await this.create(name, { behaviour: { onTerm: 'exit' } });
  },
);

Given(
  'the dataset {string}, whose daemon takes {duration} to serve',
  async function (this: RekindleWorld, name: string, readyAfterMs: number) {
    await this.create(name, { behaviour: { readyAfterMs } });
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
const fileHolder = ({ name }: ScenarioPod) => `held file in ${name}`;

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
  const { lastFault: fault, watchMs } = this.scenario;
  await this.scenario.watch();
  this.scenario.judge(isLeftAlone(this.timeline, { ...this.subject, fault, watchMs }));
});

Then('until then the volume was left alone', function (this: RekindleWorld) {
  this.scenario.judge(isLeftAlone(this.timeline, { ...this.subject, fault: this.scenario.lastFault, watchMs: 0 }));
});

Then('the node agent died of it', async function (this: RekindleWorld) {
  const since = this.scenario.lastFaultAt;
  await this.scenario.happens(
    'the node agent dies',
    (event) => event.kind === 'process' && event.role === 'agent' && event.change === 'exited' && event.at > since,
  );
});
