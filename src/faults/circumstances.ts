import { sigkill } from './daemon.ts';
import { type Fault, momentary } from './fault.ts';

/** SIGKILL under circumstances that make the recovery hard; the scenario sets them up. */
function sigkillUnder(circumstance: Pick<Fault, 'name' | 'step' | 'title' | 'claims' | 'expected'>): Fault {
  return { ...circumstance, isCrash: false, inject: sigkill.inject };
}

export const twoDatasets: Fault = {
  name: 'two-datasets',
  step: 'the FUSE daemons of both datasets are killed at once',
  title: 'the daemons of two datasets are killed at the same moment',
  claims: ['C3'],
  expected: 'each pod reads the files of its own dataset again, and never those of the other',
  isCrash: false,
  async inject({ cluster, daemon, otherDaemons }) {
    const moments = await Promise.all([daemon, ...otherDaemons].map((each) => cluster.kill(each, 'SIGKILL')));
    return momentary(Math.min(...moments));
  },
};

export const manyPods = sigkillUnder({
  name: 'many-pods',
  step: 'the FUSE daemon is killed under the many pods',
  title: 'the daemon of a dataset that many pods of the node use is killed',
  claims: ['C3'],
  expected: 'every one of them reads again, none is restarted, and no mount is left over',
});

export const emptyDataset = sigkillUnder({
  name: 'empty-dataset',
  step: 'the FUSE daemon is killed under the empty dataset',
  title: 'the daemon of a dataset without files is killed: it looks like the directory beneath the mount',
  claims: ['C3', 'L4'],
  expected: "the pod shows the dataset's own empty directory again, not the one beneath the mount",
});

export const volumeBelow = sigkillUnder({
  name: 'volume-below',
  step: 'the FUSE daemon is killed under the volume inside the dataset',
  title: 'the daemon is killed under a pod that mounts another volume at /data/cache, inside the dataset',
  claims: ['C3', 'L1'],
  expected:
    'the other volume is still there afterwards; if it cannot be kept, nothing is replaced and an event says so',
});

export const openFile = sigkillUnder({
  name: 'open-file',
  step: 'the FUSE daemon is killed under the open file',
  title: 'the daemon is killed while the application holds a file open',
  claims: ['L1'],
  expected:
    'recovery is not transparent: the descriptor fails for ever, with the documented error and never with other bytes',
});
