import { Given, Then } from '@cucumber/cucumber';
import { keepsInnerMount } from '../../src/checks/mount-tables.ts';
import { standbyAnnotation, type VolumeBelow } from '../../src/scenario/manifests.ts';
import { untilPodReads } from '../../src/scenario/pod-reads.ts';
import { ignorePollTimeout } from '../../src/scenario/scenario.ts';
import type { RekindleWorld } from '../support/world.ts';

/** Mount path of the other volume, inside the dataset. */
const innerPath = '/data/cache';
const innerFiles = { own: Buffer.from('the other volume’s own bytes\n') };

Given(
  'the dataset {string} with a directory "cache", whose names the kernel keeps for {duration}',
  async function (this: RekindleWorld, name: string, ms: number) {
    await this.create(name, { directories: ['cache'], behaviour: { entryTimeoutSeconds: ms / 1000 } });
  },
);

Given(
  'the dataset {string} with a directory "cache", and a standby',
  async function (this: RekindleWorld, name: string) {
    await this.create(name, { directories: ['cache'], annotations: { [standbyAnnotation]: '1' } });
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a volume in memory at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: 'Memory' } });
    await fillInnerVolume(this);
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a volume on disk at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: 'Node' } });
    await fillInnerVolume(this);
  },
);

Given(
  'pod {string} reads {string} at \\/data and has a part of a volume at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string) {
    const below: VolumeBelow = { mountPath: innerPath, medium: 'Node', subPath: 'part' };
    await this.start(pod, dataset, { labelled: true, below });
    await fillInnerVolume(this);
  },
);

Given(
  'pod {string} reads {string} at \\/data and {string} at \\/data\\/cache',
  async function (this: RekindleWorld, pod: string, dataset: string, claim: string) {
    await this.start(pod, dataset, { labelled: true, below: { mountPath: innerPath, medium: { claim } } });
    await untilInnerDatasetReads(this, claim);
  },
);

Then('the volume at \\/data\\/cache is still there, with what was written to it', async function (this: RekindleWorld) {
  await readInnerVolume(this);
  await this.namespace.countMounts();
  const { consumer } = this.pod;
  this.scenario.judge(keepsInnerMount(this.timeline, { consumer, innerPath, before: 'before', after: 'after' }));
});

Then('at \\/data\\/cache it reads the files of {string}', async function (this: RekindleWorld, dataset: string) {
  const title = 'a dataset that is mounted below another is carried over';
  await this.scenario.judgeWait(title, () => untilInnerDatasetReads(this, dataset));
});

Then('at \\/data the pod reads on', async function (this: RekindleWorld) {
  await untilPodReads(this.pod);
});

/** Writes into the inner volume, and reads it with a probe from then on. */
async function fillInnerVolume({ pod }: RekindleWorld): Promise<void> {
  for (const [name, bytes] of Object.entries(innerFiles)) {
    const script = `printf %s "$1" | base64 -d > ${innerPath}/${name}`;
    const { exitCode, stderr } = await pod.exec(['bash', '-c', script, 'fill', bytes.toString('base64')]);
    if (exitCode !== 0) throw new Error(`${innerPath} in ${pod.name} cannot be written: ${stderr.trim()}`);
  }
  await pod.probeAt(innerPath, innerFiles);
}

/** Waits until the inner volume has been read several times in a row; if it cannot be read, the check says so. */
async function readInnerVolume({ pod, scenario }: RekindleWorld): Promise<void> {
  await scenario
    .eventually({
      condition: `${innerPath} in ${pod.name} is read`,
      read: () =>
        scenario.history
          .filter((event) => event.kind === 'probe')
          .filter(({ probe }) => probe.endsWith(`/${pod.name}/demo:${innerPath}`))
          .slice(-6),
      until: (last) => last.length === 6 && last.every(({ result }) => result === 'ok'),
      format: (last) => last.map(({ result }) => result).join(', '),
    })
    .catch(ignorePollTimeout);
}

/** Waits until each file of the inner dataset reads as it is in the bucket. */
async function untilInnerDatasetReads({ namespace, pod, scenario }: RekindleWorld, dataset: string): Promise<void> {
  for (const [file, bytes] of Object.entries(namespace.dataset(dataset).files))
    await scenario.eventually({
      condition: `${innerPath}/${file} in ${pod.name} reads as it is in ${dataset}`,
      read: () => pod.exec(['cat', `${innerPath}/${file}`]),
      until: ({ stdout }) => stdout === Buffer.from(bytes).toString('utf8'),
      format: ({ exitCode, stdout, stderr }) => `status ${exitCode}, ${stdout.length} bytes, ${stderr.trim()}`,
    });
}
