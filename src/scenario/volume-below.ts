import { keepsInnerMount } from '../checks/inner-mount-survives.ts';
import type { CheckRecord } from '../timeline/record.ts';
import type { Subject } from './judgements.ts';
import type { Trial } from './trial.ts';

/** Where the other volume is mounted, inside the dataset. */
export const innerPath = '/data/cache';

const own = { own: Buffer.from('the other volume’s own bytes\n') };

/** Writes into the volume below the dataset and reads it from then on. */
export async function fillVolumeBelow(trial: Trial, pod: string): Promise<void> {
  for (const [name, bytes] of Object.entries(own)) {
    const script = `printf %s "$1" | base64 -d > ${innerPath}/${name}`;
    const { exitCode, stderr } = await trial.exec(pod, ['bash', '-c', script, 'fill', bytes.toString('base64')]);
    if (exitCode !== 0) throw new Error(`${innerPath} in ${pod} cannot be written: ${stderr.trim()}`);
  }
  await trial.probeAt(pod, innerPath, own);
}

/** Judges whether it is still there, in the pod's mount table as it is now and by what was read in it. */
export async function judgeVolumeBelow({ trial, consumer }: Subject): Promise<CheckRecord> {
  await readsVolumeBelow(trial, consumer.pod);
  await trial.countMounts();
  return keepsInnerMount(trial.history, { consumer, innerPath, before: 'before', after: 'after' });
}

/** Until the volume below has been read some times in a row; what does not come is left to the check to say. */
async function readsVolumeBelow(trial: Trial, pod: string): Promise<void> {
  await trial
    .poll({
      what: `${innerPath} in ${pod} is read`,
      look: () =>
        trial.history
          .filter((event) => event.kind === 'probe' && event.probe.endsWith(`/${pod}/demo:${innerPath}`))
          .slice(-6),
      until: (last) => last.length === 6 && last.every((event) => event.kind === 'probe' && event.result === 'ok'),
      say: (last) => `${last.map((event) => (event.kind === 'probe' ? event.result : '')).join(', ')}`,
    })
    .catch(() => {});
}

/** Until each file of a dataset that is mounted below another's path reads as it is in the bucket. */
export async function readsDatasetBelow(
  trial: Trial,
  { pod, dataset }: { readonly pod: string; readonly dataset: string },
): Promise<void> {
  for (const [file, bytes] of Object.entries(trial.filesOf(dataset)))
    await trial.poll({
      what: `${innerPath}/${file} in ${pod} reads as it is in ${dataset}`,
      look: () => trial.exec(pod, ['cat', `${innerPath}/${file}`]),
      until: ({ stdout }) => stdout === Buffer.from(bytes).toString('utf8'),
      say: ({ exitCode, stdout, stderr }) => `status ${exitCode}, ${stdout.length} bytes, ${stderr.trim()}`,
    });
}
