import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeObservation } from '../../../recovery/engine/diagnose.ts';
import type { DeviceId, LiveSource, Step } from '../../../recovery/engine/model.ts';
import { plan as planReal } from '../../../recovery/engine/plan.ts';
import { loadSyscalls } from '../../../recovery/linux/load-syscalls.ts';

export * from '../../../recovery/engine/plan.ts';

type Choose = (observation: NodeObservation, step: Exclude<Step, { kind: 'skip' }>) => LiveSource;

/** The whole dataset, whatever directory of it the volume is. */
const wholeDataset: Choose = (_, { source }) => ({ ...source, root: '/' });

/** The source of another volume, if one answers. */
const otherDataset: Choose = ({ snapshot }, { source, diagnosis }) => {
  const others = snapshot.volumes
    .filter(({ name }) => name !== diagnosis.volume.name)
    .flatMap(({ sources }) => sources);
  const answers = (path: string) => {
    try {
      return readdirSync(path).length > 0;
    } catch {
      return false;
    }
  };
  const path = others.find(answers);
  const mount = path === undefined ? undefined : snapshot.tree.top(path);
  return path === undefined || mount === undefined ? source : { path, device: mount.device, root: mount.root };
};

const copies = new Map<string, LiveSource>();

/** A file system in memory that has the files as they were at the first replacement. */
const copy: Choose = (_, { source, diagnosis }) => {
  const known = copies.get(diagnosis.volume.name);
  if (known !== undefined) return known;
  const path = `/runtime-mnt/copies/${copies.size}`;
  mkdirSync(path, { recursive: true });
  loadSyscalls().mount({ source: 'copy', target: path, fstype: 'tmpfs', flags: 0 });
  for (const file of readdirSync(source.path)) copyFileSync(join(source.path, file), join(path, file));
  const { dev } = statSync(path);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}` as DeviceId;
  const made = { path, device, root: '/' };
  copies.set(diagnosis.volume.name, made);
  return made;
};

/** The mount of the other source, dead or alive, if no daemon serves the volume. Either source may be the one that the pods show. */
function withDeadStandby({ snapshot }: NodeObservation, step: Step): Step {
  const { volume, removable, stack } = step.diagnosis;
  if (step.kind !== 'skip' || step.reason !== 'source-not-live' || removable === undefined) return step;
  const shown = stack.at(-1)?.device;
  const sources = snapshot.sourcePaths(volume).flatMap((path) => {
    const mount = snapshot.tree.top(path);
    return mount === undefined ? [] : [{ path, device: mount.device, root: mount.root }];
  });
  const other = sources.find(({ device }) => device !== shown);
  return other === undefined ? step : { kind: 'replace', diagnosis: step.diagnosis, source: other, remove: removable };
}

const variants: Readonly<Record<string, Choose>> = { whole: wholeDataset, other: otherDataset, copy };
const query = new URL(import.meta.url).search.slice(1);
const choose = variants[query] ?? ((_, { source }) => source);

/** Mounts something else: the query of this module's URL is `?whole`, `?other`, `?copy` or `?dead-standby`. */
export const plan: typeof planReal = (observation, diagnoses, policy) =>
  planReal(observation, diagnoses, policy).map((step) => {
    if (query === 'dead-standby') return withDeadStandby(observation, step);
    return step.kind === 'skip' ? step : { ...step, source: choose(observation, step) };
  });
