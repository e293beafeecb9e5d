import { Given, Then, When } from '@cucumber/cucumber';
import { newPodName } from '../../src/faults/application.ts';
import { faultNamed as faultOrNone } from '../../src/faults/catalogue.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { sigkill } from '../../src/faults/sigkill.ts';
import { heldFileFails, holdFileOpen } from '../../src/scenario/held-file.ts';
import * as judgements from '../../src/scenario/judgements.ts';
import { judgeMany, manyRecovered, startMany } from '../../src/scenario/many-pods.ts';
import { judgeEnds, judgeStart, startIsRefused } from '../../src/scenario/pod-life.ts';
import { fillVolumeBelow, innerPath, judgeVolumeBelow } from '../../src/scenario/volume-below.ts';
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
    await this.trial.strike(faultNamed(name), this.dataset);
  });

When('the node is switched off and on, and the FUSE daemon comes late', async function (this: RekindleWorld) {
  await this.trial.crash(faultNamed('node-reboot'), this.dataset, { stays: true });
});

When('these happen at once: {}', async function (this: RekindleWorld, names: string) {
  await this.trial.strike(faultNamed(names), this.dataset);
});

When('that is over', async function (this: RekindleWorld) {
  await this.trial.heal();
});

When('FUSE recovery is turned on', async function (this: RekindleWorld) {
  await this.trial.setGate(true);
});

When('FUSE recovery is turned off', async function (this: RekindleWorld) {
  await this.trial.setGate(false);
});

When('the pod is given the label', async function (this: RekindleWorld) {
  await this.trial.objects.labelPod(this.pod, { 'fuse.serverful.fluid.io/inject': 'true' });
});

When('the FUSE daemon is killed again', async function (this: RekindleWorld) {
  await this.trial.crash(sigkill, this.dataset);
});

Given('the node agent aborts what hangs', async function (this: RekindleWorld) {
  await this.trial.setAgent({ abortHungAfter: '500ms' });
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

Given(
  'the dataset {string} with a directory "cache", whose names the kernel keeps for {duration}',
  async function (this: RekindleWorld, name: string, ms: number) {
    const behaviour = { entryTimeoutSeconds: ms / 1000 };
    await this.create(name, { directories: ['cache'], behaviour });
  },
);

Given('the dataset {string} with files of its own', async function (this: RekindleWorld, name: string) {
  await this.create(name, { files: { myfile: Buffer.from(`this is ${name}\n`), [name]: Buffer.from(name.repeat(9)) } });
});

Given(
  'pod {string} with the label set to {string} reads {string} at \\/data',
  async function (this: RekindleWorld, pod: string, labelValue: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, labelValue });
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a volume in memory at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: 'Memory' } });
    await fillVolumeBelow(this.trial, pod);
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a volume on disk at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: 'Node' } });
    await fillVolumeBelow(this.trial, pod);
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a part of a volume at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    const below = { mountPath: innerPath, medium: 'Node', subPath: 'part' } as const;
    await this.start(pod, dataset, { labelled: true, below });
    await fillVolumeBelow(this.trial, pod);
  },
);

Given('{int} more pods read {string} at \\/data', async function (this: RekindleWorld, count: number, dataset: string) {
  this.otherPods = await startMany(this.trial, count, dataset);
});

Given('the application holds a file open', async function (this: RekindleWorld) {
  await holdFileOpen(this.trial, this.pod, '/data/myfile.txt');
});

Then('the volume is left alone, for longer than the period of the agent', async function (this: RekindleWorld) {
  await this.trial.watchFor(this.trial.watchMs);
});

Then('all that time the volume was left alone, for {string}', function (this: RekindleWorld, fault: string) {
  this.trial.judge(judgements.leftAlone(this.subject, fault));
});

Then('the pod sees errors', async function (this: RekindleWorld) {
  await this.trial.failsAfterCrash(this.pod);
});

Given(
  'pods {string} and {string} on different nodes read {string} at \\/data',
  async function (this: RekindleWorld, one: string, other: string, dataset: string) {
    for (const pod of [one, other]) await this.start(pod, dataset, { labelled: true, apart: true });
  },
);

When('the FUSE daemon beside {string} is killed from its node', async function (this: RekindleWorld, pod: string) {
  await this.trial.strike(sigkill, this.dataset, await this.trial.daemonBeside(pod));
});

Then('pod {string} reads on, and saw no error', async function (this: RekindleWorld, pod: string) {
  this.pod = pod;
  await this.trial.reads(pod);
  this.trial.judge(judgements.noError(this.subject));
});

Then('the pod reads on, and saw no error', async function (this: RekindleWorld) {
  await this.trial.reads(this.pod);
  this.trial.judge(judgements.noError(this.subject));
});

Then('the pod reads the same files again without another daemon', async function (this: RekindleWorld) {
  await this.trial.reads(this.pod);
  this.trial.judge(...(await judgements.recovered(this.subject)));
});

Then(
  'nothing is mounted for the pod and no event claims a recovery, over a long outage',
  async function (this: RekindleWorld) {
    await this.trial.watchFor(2 * this.trial.watchMs);
    this.trial.judge(judgements.nothingWhileDown(this.subject));
  },
);

Then(
  'pod {string} reads the files of {string} again, and was not restarted',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    Object.assign(this, { pod, dataset });
    await this.trial.readsAfterRecovery(pod);
    this.trial.judge(...(await judgements.recovered(this.subject)));
  },
);

Then('the volume at \\/data\\/cache is still there, with what was written to it', async function (this: RekindleWorld) {
  this.trial.judge(await judgeVolumeBelow(this.subject));
});

Then('both mounts of the pod show the same filesystem', async function (this: RekindleWorld) {
  this.trial.judge(await judgements.oneFilesystem(this.subject));
});

Then('nothing is replaced in the pod, and nothing claims a recovery', async function (this: RekindleWorld) {
  await this.trial.staysBroken(this.pod, this.trial.watchMs);
  this.trial.judge(judgements.notRecovered(this.subject, { claims: ['L1'], scope: 'pod' }));
});

Then('all pods read the same files again, and none was restarted', async function (this: RekindleWorld) {
  await manyRecovered(this.trial, this.otherPods);
  this.trial.judge(await judgeMany(this.trial, this.otherPods));
});

Then('the file that it holds open fails cleanly, and for ever', async function (this: RekindleWorld) {
  await heldFileFails(this.trial, this.pod);
  this.trial.judge(judgements.heldFileFailsCleanly(this.subject));
});

Then('the node agent died of it', async function (this: RekindleWorld) {
  const since = this.trial.lastFault;
  await this.trial.happens(
    'the node agent dies',
    (event) => event.kind === 'process' && event.role === 'agent' && event.change === 'exited' && event.at > since,
  );
});

Then('its container is not started, because of {string}', async function (this: RekindleWorld, reason: string) {
  await startIsRefused(this.trial, this.pod, reason);
});

Then('the container starts on the living volume, and reads', async function (this: RekindleWorld) {
  await this.trial.observe(this.pod, this.dataset);
  this.trial.judge(await judgeStart(this.subject, 'app-restart'));
});

Then('the other pod starts on the living volume, and reads', async function (this: RekindleWorld) {
  this.pod = newPodName(this.pod);
  await this.trial.observe(this.pod, this.dataset);
  this.trial.judge(await judgeStart(this.subject, 'new-pod'));
});

Then('the pod waits for its volume', async function (this: RekindleWorld) {
  await startIsRefused(this.trial, this.pod, 'ContainerCreating');
  await this.trial.watchFor(this.trial.watchMs);
});

Then('the other pod waits for its volume', async function (this: RekindleWorld) {
  await startIsRefused(this.trial, newPodName(this.pod), 'ContainerCreating');
  await this.trial.watchFor(this.trial.watchMs);
});

Then('after the reboot the pod starts on the living volume, and reads', async function (this: RekindleWorld) {
  await this.trial.observe(this.pod, this.dataset);
  this.trial.judge(await judgeStart(this.subject, 'node-reboot'));
});

Then(
  'every application pod is gone in time after {string}, and nothing of it is left',
  async function (this: RekindleWorld, fault: string) {
    this.trial.judge(...(await judgeEnds(this.subject, { pods: [this.pod, ...this.otherPods], fault })));
  },
);
