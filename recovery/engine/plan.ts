import { answerOf, sourcesOf } from './diagnose.ts';
import type { Action, Diagnosis, LiveSource, NodeView, Policy, Step } from './model.ts';
import { plainPath, standingAt } from './mount-tree.ts';
import { siteKey } from './places.ts';
import { refusal } from './policy.ts';

/**
 * What is to be done about each diagnosis that asks for something: an action, or a skip with its reason. Volume by volume,
 * the node's target paths before the containers, so that a container that starts meanwhile starts from what was healed.
 * Same view and policy, same plan, whatever the order of the diagnoses.
 */
export function plan(view: NodeView, diagnoses: readonly Diagnosis[], policy: Policy): readonly Step[] {
  return [...diagnoses]
    .filter((diagnosis) => asks(view, diagnosis))
    .map((diagnosis) => ({ diagnosis, rank: rank(diagnosis) }))
    .sort((a, b) => compare(a.rank, b.rank))
    .map(({ diagnosis }) => step(view, diagnosis, policy));
}

/**
 * Whether anything is to be done. A mount that still answers from a daemon that is no longer the source's is left alone: the
 * application reads, and a swap would take its working directory away. So is one whose daemon nobody has asked.
 */
function asks(view: NodeView, { state, volume, stack }: Diagnosis): boolean {
  switch (state) {
    case 'healthy':
    case 'gone':
      return false;
    case 'orphaned': {
      const top = stack.at(-1);
      const answer = top === undefined ? undefined : answerOf(view, volume, top.device);
      return answer !== undefined && answer !== 'ok';
    }
    case 'dead':
    case 'hung':
    case 'half-done':
      return true;
  }
}

function step(view: NodeView, diagnosis: Diagnosis, policy: Policy): Step {
  const refused = refusal(view, diagnosis, policy);
  if (refused !== undefined) return { kind: 'skip', diagnosis, ...refused };
  if (diagnosis.lost !== undefined) {
    const detail = `${diagnosis.lost.join(', ')} below ${diagnosis.site.path} has been dropped by the kernel and cannot be found on the node: start the pod again`;
    return { kind: 'skip', diagnosis, reason: 'inner-mount-unreachable', detail };
  }
  const source = liveSource(view, diagnosis);
  if (source === undefined) {
    const detail = `the mount of volume ${diagnosis.volume.name} is gone from its source since it was read: look at the daemon's pod`;
    return { kind: 'skip', diagnosis, reason: 'source-not-live', detail };
  }
  return action(diagnosis, source);
}

function action(diagnosis: Diagnosis, source: LiveSource): Action {
  const { stack, state } = diagnosis;
  const top = stack.at(-1)?.device ?? 'nothing';
  if (state === 'half-done') {
    const why = `${source.device} stands beneath ${top}, where a replacement was interrupted`;
    return { kind: 'finish', diagnosis, source, why };
  }
  return {
    kind: 'replace',
    diagnosis,
    source,
    why: `${top} no longer answers and ${source.path} is live as ${source.device}`,
  };
}

/** The live source that is to be seen at a site: under the dead top it is that very one, otherwise the first of the volume. */
function liveSource(view: NodeView, { volume, stack, state, volumeMount }: Diagnosis): LiveSource | undefined {
  const live = sourcesOf(view, volume).filter((source) => source.state === 'live');
  const beneath = stack.at(-2)?.device;
  const chosen = (state === 'half-done' ? live.find(({ device }) => device === beneath) : undefined) ?? live[0];
  if (chosen === undefined) return undefined;
  const { path, device } = chosen;
  const mount = standingAt(view.mounts, path).stack.at(-1);
  if (mount === undefined || mount.device !== device) return undefined;
  const top = stack.at(-1);
  // A subPath may be an expression or lead over symbolic links: what it came to stands in the mount itself.
  if (volumeMount?.subPath !== undefined && top !== undefined) return { path, device, root: undeleted(top.root) };
  return { path, device, root: plainPath(`${mount.root}/${volume.subdirectory}`) };
}

/** The directory that a mount showed, when the former filesystem has lost it: `/sub//deleted` is `/sub`. */
function undeleted(root: string): string {
  return plainPath(root.endsWith('//deleted') ? root.slice(0, -'//deleted'.length) : root);
}

const rank = ({ volume, site }: Diagnosis) => [volume.name, site.kind === 'target' ? '0' : '1', siteKey(site)];

function compare(a: readonly string[], b: readonly string[]): number {
  for (const [at, one] of a.entries()) {
    const other = b[at] ?? '';
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}
