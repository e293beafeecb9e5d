import { expect, it } from 'vitest';
import { Timeline } from '../timeline/timeline.ts';
import { isReadOnlyInPod } from './read-only.ts';
import {
  adding,
  type Break,
  consumer,
  cutAt,
  mounted,
  podTable,
  recovered,
  snapshot,
  where,
  without,
} from './sample-history.ts';

const same: Break = (history) => history;

it.each<[string, Break, string, string]>([
  [
    'passes where all mounts in the pod had ro',
    same,
    'pass',
    'all 3 mounts that were seen had ro, 1 of them after the crash',
  ],
  ['fails on one that had not, for a moment', adding(mounted(395, where, 'rw,nosuid')), 'fail', 'with rw,nosuid'],
  ['fails on one in a table', adding(snapshot(950, where, 'after', podTable('rw'))), 'fail', 'with rw'],
  ['has nothing to say of the node', adding(mounted(395, 'node', 'rw')), 'pass', 'had ro'],
  ['does not tell without a crash', cutAt(150), 'inconclusive', 'no fault'],
  [
    'does not tell where no mount was seen to be made',
    without((event) => event.kind === 'mount'),
    'inconclusive',
    'no mount of the volume was seen to be made after the crash',
  ],
])('a check for read-only mounts in a pod %s', (_what, change, verdict, says) => {
  expect(isReadOnlyInPod(new Timeline(change(recovered())), consumer)).toMatchObject({
    verdict,
    says: expect.stringContaining(says),
  });
});
