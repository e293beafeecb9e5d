import { createDraws, type WeightedMaker } from '../draw.ts';
import type { AgentFlags, PolicyName } from './modelled-agent.ts';
import { type ApiFault, apiFaults } from './modelled-api.ts';

/**
 * What is special about a pod. `two-volumes`, `twice`: a second mount, of another volume or of the same one. `link`: the mount path leads
 * through a symbolic link of the image. `empty-dir`: a directory of the kubelet beside the volume. The others try to be taken for
 * another pod: `sub-path-log`: a directory of the volume that is named like a termination log. `another-log`: the log of another pod beside
 * its own. `only-another-log`: in place of its own. `moved-log`: its own log elsewhere.
 */
export const podShapes = [
  'plain',
  'two-volumes',
  'twice',
  'link',
  'empty-dir',
  'sub-path-log',
  'another-log',
  'only-another-log',
  'moved-log',
] as const;

export type PodShape = (typeof podShapes)[number];

/** Mounts at a target path that bears a volume's name and is not the volume's: of another driver, or of another file system. */
export const foreignMounts = ['recorded', 'unrecorded', 'claimed', 'tmpfs'] as const;

export type ForeignMount = (typeof foreignMounts)[number];

/** One event of a simulated node; `after`: milliseconds since the one before. Volumes and pods are numbers modulo their count. */
export type NodeStep = { readonly after: number } & (
  | {
      readonly op: 'create-pod';
      readonly volume: number;
      readonly propagation: 'slave' | 'private';
      readonly label: 'true' | 'yes' | undefined;
      readonly shape: PodShape;
    }
  | {
      readonly op: 'delete-pod' | 'restart-container' | 'cover' | 'mount-inside' | 'stack-as-earlier-agent';
      readonly pod: number;
    }
  /** `otherAccess`: read-only, although the volume is published read-write. */
  | { readonly op: 'republish'; readonly pod: number; readonly otherAccess?: boolean }
  /** `starts`: milliseconds from the mount of the next daemon to its first answer. */
  | {
      readonly op: 'crash';
      readonly volume: number;
      readonly source: 'active' | 'standby';
      readonly stacks: boolean;
      readonly starts: number;
    }
  /** A daemon unmounts its source, ends and does not come back for a while; `calls`: before one of the agent's next system calls. */
  | { readonly op: 'stop'; readonly volume: number; readonly calls?: number }
  /** A connection is aborted. */
  | { readonly op: 'abort'; readonly volume: number }
  | { readonly op: 'hang' | 'answer' | 'start-standby'; readonly volume: number }
  | { readonly op: 'mount-foreign'; readonly volume: number; readonly kind: ForeignMount }
  /** Flags of the agent from its next start on; at the beginning of a history from the first. */
  | ({ readonly op: 'flags' } & AgentFlags)
  | { readonly op: 'agent-dies'; readonly calls: number }
  | { readonly op: 'api-fails'; readonly fault: ApiFault }
  | { readonly op: 'restart-kubelet' | 'api-cuts' | 'api-expires' | 'api-answers' | 'wait' }
);

type Body = NodeStep extends infer Step ? (Step extends unknown ? Omit<Step, 'after'> : never) : never;

/** Milliseconds: often none or a few, now and then some seconds. */
const pauses = [0, 0, 1, 5, 30, 200, 1000, 4000, 12_000];

/** Most agents have the documented limits. */
const drawnPolicies: readonly [PolicyName, ...PolicyName[]] = [
  ...(['documented', 'documented', 'documented', 'documented', 'documented', 'documented', 'documented'] as const),
  ...(['all-pods', 'all-pods', 'read-write', 'read-write', 'cluster-scope', 'off'] as const),
];

const starts = [50, 300, 300, 3000, 20_000];

/** `random`: numbers in [0, 1). */
export function drawNodeHistory(random: () => number, steps: number): readonly NodeStep[] {
  const { draw, maker } = createDraws(random, makers);
  const pick = <T>(all: readonly [T, ...T[]]): T => all[draw(all.length)] ?? all[0];
  const policy = pick(drawnPolicies);
  const flags: NodeStep = {
    ...{ after: 0, op: 'flags', policy },
    standby: draw(2) > 0 && policy !== 'off',
    abortsHung: draw(3) === 0,
  };
  const drawn = Array.from({ length: steps - 1 }, (): NodeStep => {
    const make = maker();
    return { after: pick([0, ...pauses]), ...make(draw) };
  });
  return [flags, ...drawn];
}

const makers: readonly WeightedMaker<Body>[] = [
  [
    6,
    (draw) => ({
      op: 'create-pod',
      volume: draw(3),
      propagation: draw(3) > 0 ? 'slave' : 'private',
      label: draw(5) > 0 ? 'true' : draw(2) > 0 ? 'yes' : undefined,
      // Every other pod is plain.
      shape: podShapes[Math.max(0, draw(2 * podShapes.length) - podShapes.length)] ?? 'plain',
    }),
  ],
  [3, (draw) => ({ op: 'delete-pod', pod: draw(8) })],
  [3, (draw) => ({ op: 'restart-container', pod: draw(8) })],
  [2, (draw) => ({ op: 'republish', pod: draw(8), ...(draw(2) > 0 ? { otherAccess: true } : {}) })],
  [1, (draw) => ({ op: 'cover', pod: draw(8) })],
  [
    1,
    (draw) => ({ op: 'mount-foreign', volume: draw(3), kind: foreignMounts[draw(foreignMounts.length)] ?? 'recorded' }),
  ],
  [2, (draw) => ({ op: 'mount-inside', pod: draw(8) })],
  [1, (draw) => ({ op: 'stack-as-earlier-agent', pod: draw(8) })],
  [
    10,
    (draw) => ({
      op: 'crash',
      volume: draw(3),
      source: draw(4) === 0 ? 'standby' : 'active',
      stacks: draw(3) === 0,
      starts: starts[draw(starts.length)] ?? 300,
    }),
  ],
  [3, (draw) => ({ op: 'stop', volume: draw(3), ...(draw(3) > 0 ? { calls: draw(24) } : {}) })],
  [1, (draw) => ({ op: 'abort', volume: draw(3) })],
  [2, (draw) => ({ op: 'hang', volume: draw(3) })],
  [3, (draw) => ({ op: 'answer', volume: draw(3) })],
  [2, (draw) => ({ op: 'start-standby', volume: draw(3) })],
  [5, (draw) => ({ op: 'agent-dies', calls: draw(60) })],
  [1, () => ({ op: 'restart-kubelet' })],
  [2, (draw) => ({ op: 'api-fails', fault: apiFaults[draw(apiFaults.length)] ?? 'silent' })],
  [1, () => ({ op: 'api-cuts' })],
  [1, () => ({ op: 'api-expires' })],
  [3, () => ({ op: 'api-answers' })],
  [4, () => ({ op: 'wait' })],
];
