import type { Answers } from './answers.ts';
import { isDead } from './answers.ts';
import type { DeviceId, Mount, Nanoseconds, NodeView, SourceState, Volume } from './model.ts';
import { isFuse, standingAt } from './mount-tree.ts';
import { type Spot, spotsOf, type Tables, targetSpots } from './places.ts';
import type { ClockPort, ContainerScope, KernelPort, KubernetesPort, ReadRequest, Result } from './ports.ts';

/** The tables of the node at one moment. Taking them asks no daemon. */
export interface Look extends Tables {
  readonly tier: NodeView['tier'];
  readonly at: Nanoseconds;
}

export interface LookOptions {
  readonly kernel: Pick<KernelPort, 'tier' | 'hostMounts' | 'containers'>;
  readonly kubernetes: Pick<KubernetesPort, 'view'>;
  readonly clock: Pick<ClockPort, 'now'>;
  readonly kubeletRoot: string;
  /** `none`: without containers. */
  readonly containers: 'none' | ContainerScope;
}

export function look({ kernel, kubernetes, clock, kubeletRoot, containers }: LookOptions): Result<Look> {
  const mounts = kernel.hostMounts();
  if (!mounts.ok) return mounts;
  const { volumes, pods } = kubernetes.view();
  const found = containers === 'none' ? [] : kernel.containers(containers);
  const { tier } = kernel;
  const at = clock.now();
  return { ok: true, value: { tier, at, kubeletRoot, mounts: mounts.value, containers: found, volumes, pods } };
}

/** What shows at a source's path; only a daemon's mount counts. */
export interface SourceSight {
  readonly path: string;
  readonly mount: Mount | undefined;
}

/** A volume as the node's mount table shows it: enough to tell whether anything concerns it, without a read. */
export interface Sight {
  readonly volume: Volume;
  readonly sources: readonly SourceSight[];
  /** Same text, same mounts at the sources. */
  readonly sourceSignature: string;
  /** The target paths, looked at once they are asked for. */
  readonly targets: () => TargetSight;
}

export interface TargetSight {
  /** Same text, same mounts at the target paths. */
  readonly signature: string;
  /** Whether a target path shows a daemon's mount that is at no source. */
  readonly astray: boolean;
}

export function sightOf(tables: Tables, volume: Volume): Sight {
  const sources = sourcesIn(tables, volume);
  const sourceSignature = sources.map(({ path, mount }) => `${path}=${line(mount)}`).join(' ');
  let seen: TargetSight | undefined;
  const look = (): TargetSight => {
    const spots = targetSpots(tables, volume);
    const signature = spots.map(({ site, stack }) => `${site.path}=${stack.map(line).join('+')}`).join(' ');
    return { signature, astray: isAstray(sources, spots) };
  };
  return {
    volume,
    sources,
    sourceSignature,
    targets() {
      seen ??= look();
      return seen;
    },
  };
}

/** Whether any site of a volume, containers included where the tables have them, shows a daemon's mount that is at no source. */
export function isAstrayAnywhere(tables: Tables, volume: Volume): boolean {
  return isAstray(sourcesIn(tables, volume), spotsOf(tables, volume));
}

/** What has to be asked before a volume can be diagnosed. */
export interface Questions {
  readonly sources: readonly Question[];
  /** Devices that are seen at the volume's sites and at none of its sources. */
  readonly sites: readonly Question[];
  /** Devices that are seen at the volume's sites. */
  readonly shown: ReadonlySet<DeviceId>;
}

export type Question = Pick<ReadRequest, 'site' | 'device'>;

/** What has to be asked before anything can be said of a volume. */
export function sourceQuestions(tables: Tables, volume: Volume): readonly Question[] {
  return sourcesIn(tables, volume).flatMap(({ path, mount }): Question[] =>
    mount === undefined ? [] : [{ site: { kind: 'source', path }, device: mount.device }],
  );
}

export function questionsOf(tables: Tables, volume: Volume, answers: Pick<Answers, 'known'>): Questions {
  const sources = sourceQuestions(tables, volume);
  const served = new Set(sources.map(({ device }) => device));
  const sites = new Map<DeviceId, Question>();
  const shown = new Set<DeviceId>();
  for (const { site, stack } of spotsOf(tables, volume)) {
    const top = stack.at(-1);
    if (top === undefined || !isFuse(top)) continue;
    shown.add(top.device);
    if (served.has(top.device) || isDead(answers.known(top.device))) continue;
    if (!sites.has(top.device)) sites.set(top.device, { site, device: top.device });
  }
  return { sources, sites: [...sites.values()], shown };
}

/** The view of a few volumes; of a source that has not answered yet it says nothing. */
export function viewOf(tables: Look, volumes: readonly Volume[], answers: Pick<Answers, 'known'>): NodeView {
  const devices = new Map<DeviceId, string>();
  const sources = new Map<string, readonly SourceState[]>();
  for (const volume of volumes) {
    sources.set(volume.name, statesOf(tables, volume, answers));
    for (const { stack } of spotsOf(tables, volume)) {
      const top = stack.at(-1);
      const answer = top === undefined ? undefined : answers.known(top.device);
      if (top !== undefined && answer !== undefined) devices.set(top.device, answer.said);
    }
  }
  const { tier, kubeletRoot, mounts, containers, pods } = tables;
  return { tier, kubeletRoot, mounts, containers, volumes: tables.volumes, pods, sources, devices };
}

/** The states of a volume's sources that have answered. */
export function statesOf(tables: Tables, volume: Volume, answers: Pick<Answers, 'known'>): readonly SourceState[] {
  return sourcesIn(tables, volume).flatMap((sight) => sourceState(sight, answers));
}

function sourceState({ path, mount }: SourceSight, answers: Pick<Answers, 'known'>): SourceState[] {
  if (mount === undefined) return [{ state: 'absent', path }];
  const { device } = mount;
  const said = answers.known(device)?.said;
  switch (said) {
    case undefined:
      return [];
    case 'ok':
      return [{ state: 'live', path, device }];
    case 'hung':
      return [{ state: 'hung', path, device }];
    default:
      return [{ state: 'dead', path, device, errno: said }];
  }
}

function sourcesIn({ mounts }: Tables, { sources }: Volume): readonly SourceSight[] {
  return sources.map((path) => {
    const top = standingAt(mounts, path).stack.at(-1);
    return { path, mount: top !== undefined && isFuse(top) ? top : undefined };
  });
}

function isAstray(sources: readonly SourceSight[], spots: readonly Spot[]): boolean {
  const devices = new Set(sources.map(({ mount }) => mount?.device));
  return spots.some(({ stack }) => {
    const top = stack.at(-1);
    return top !== undefined && isFuse(top) && !devices.has(top.device);
  });
}

const line = (mount: Mount | undefined) => (mount === undefined ? '' : `${mount.id}:${mount.device}`);
