import { parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { nothingIsWritten } from '../checks/nothing-written.ts';
import { isReadOnlyEverywhere } from '../checks/read-only-everywhere.ts';
import type { CheckRecord } from '../timeline/record.ts';
import type { Subject } from './judgements.ts';
import { documentedFiles } from './manifests.ts';

const inPod = 'writer in the pod';
const onNode = 'writer on the node';
const attributes = 'attributes of all mounts';

/** Lets two writers loose, at /data in the pod and at the target path on the node, and reads all mount tables meanwhile. */
export async function letWritersLoose({ trial, consumer, volume }: Subject): Promise<void> {
  const [file = ''] = Object.keys(documentedFiles);
  const table = await trial.session.cluster.mountTable();
  const suffix = `/kubernetes.io~csi/${volume}/mount`;
  const target = parseMountinfo(table.join('\n')).find(({ mountPoint }) => mountPoint.endsWith(suffix))?.mountPoint;
  if (target === undefined) throw new Error(`nothing is mounted at ...${suffix} on the node`);
  const { pod } = consumer;
  await trial.runProgram({ program: 'writer', args: [consumer.path, file], name: inPod, pod });
  await trial.runProgram({ program: 'writer', args: [target, file], name: onNode });
  await trial.runProgram({ program: 'mountAttributes', args: [], name: attributes });
  for (const name of [inPod, onNode, attributes])
    await trial.happens(`the ${name} is at work`, (event) => event.kind === 'output' && event.program === name);
}

/** Until each of them has said once more what came of it. */
async function theySay({ trial }: Subject): Promise<void> {
  const since = trial.session.history.now();
  for (const name of [inPod, onNode, attributes])
    await trial.happens(
      `the ${name} is still at work`,
      (event) => event.kind === 'output' && event.program === name && event.at > since,
    );
}

export async function noWriteGotThrough(subject: Subject): Promise<CheckRecord> {
  await theySay(subject);
  return nothingIsWritten(subject.trial.history, { writers: [inPod, onNode] });
}

export async function everyMountIsReadOnly(subject: Subject): Promise<CheckRecord> {
  await theySay(subject);
  const { trial, consumer, volume } = subject;
  return isReadOnlyEverywhere(trial.history, { consumer, volume, program: attributes });
}
