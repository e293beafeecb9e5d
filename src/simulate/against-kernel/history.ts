import { createDraws, type Draw, type WeightedMaker } from '../draw.ts';

/** Directories that the calls of a history name; each new file system has `in` and `in/in` as well. */
export const paths = ['/0', '/1', '/2', '/0/in', '/1/in', '/2/in', '/0/in/in', '/'] as const;

export const propagationTypes = ['shared', 'slave', 'private', 'unbindable'] as const;

/**
 * One step of a history: a system call, what a daemon does, or a sequence of the agent. Namespaces, detached trees and daemons are
 * given by numbers that are taken modulo their count, so that steps can be left out of a history.
 */
export type MountStep =
  | { readonly op: 'copy-namespace'; readonly namespace: number; readonly forUser: boolean }
  | {
      readonly op: 'mount-fuse';
      readonly namespace: number;
      readonly path: string;
      readonly caches: boolean;
      readonly starts: boolean;
      readonly flags: number;
    }
  | { readonly op: 'mount-tmpfs'; readonly namespace: number; readonly path: string; readonly flags: number }
  | {
      readonly op: 'bind';
      readonly namespace: number;
      readonly from: string;
      readonly path: string;
      readonly recursive: boolean;
    }
  | {
      readonly op: 'propagation';
      readonly namespace: number;
      readonly path: string;
      readonly type: (typeof propagationTypes)[number];
      readonly recursive: boolean;
    }
  | { readonly op: 'remount'; readonly namespace: number; readonly path: string; readonly flags: number }
  | { readonly op: 'umount'; readonly namespace: number; readonly path: string; readonly force: boolean }
  | { readonly op: 'clone'; readonly namespace: number; readonly path: string; readonly recursive: boolean }
  | {
      readonly op: 'attributes';
      readonly tree: number;
      readonly set: number;
      readonly private: boolean;
      readonly recursive: boolean;
    }
  | {
      readonly op: 'attach';
      readonly tree: number;
      readonly namespace: number;
      readonly path: string;
      readonly beneath: boolean;
    }
  | { readonly op: 'attach-in-tree'; readonly tree: number; readonly into: number; readonly namespace: number }
  | { readonly op: 'move'; readonly namespace: number; readonly from: string; readonly path: string }
  | { readonly op: 'close-tree'; readonly tree: number }
  | { readonly op: 'crash' | 'abort' | 'hang' | 'resume'; readonly daemon: number }
  | { readonly op: 'look-up'; readonly namespace: number; readonly path: string; readonly cached: boolean }
  | { readonly op: 'read'; readonly namespace: number; readonly path: string }
  | {
      readonly op: 'replace';
      readonly namespace: number;
      readonly path: string;
      readonly source: string;
      readonly readOnly: boolean;
    }
  | { readonly op: 'publish'; readonly source: string; readonly path: string; readonly readOnly: boolean }
  | { readonly op: 'unpublish'; readonly path: string };

/** The kinds of steps, as often as they are listed with. */
const makers: readonly WeightedMaker<MountStep>[] = [
  [3, (draw) => ({ op: 'copy-namespace', namespace: draw(4), forUser: draw(2) === 0 })],
  [
    8,
    (draw) => ({
      op: 'mount-fuse',
      namespace: draw(4),
      path: path(draw),
      caches: draw(3) > 0,
      starts: draw(10) === 0,
      flags: mountFlags(draw),
    }),
  ],
  [4, (draw) => ({ op: 'mount-tmpfs', namespace: draw(4), path: belowRoot(draw), flags: mountFlags(draw) })],
  [8, (draw) => ({ op: 'bind', namespace: draw(4), from: path(draw), path: path(draw), recursive: draw(2) > 0 })],
  [
    9,
    (draw) => ({
      op: 'propagation',
      namespace: draw(4),
      path: draw(2) === 0 ? '/' : path(draw),
      type: propagationTypes[Math.min(draw(7) >> 1, 3)] ?? 'shared',
      recursive: draw(3) === 0,
    }),
  ],
  [2, (draw) => ({ op: 'remount', namespace: draw(4), path: path(draw), flags: mountFlags(draw) })],
  [6, (draw) => ({ op: 'umount', namespace: draw(4), path: belowRoot(draw), force: draw(8) === 0 })],
  [6, (draw) => ({ op: 'clone', namespace: draw(4), path: path(draw), recursive: draw(2) > 0 })],
  [
    4,
    (draw) => ({
      op: 'attributes',
      tree: draw(4),
      set: mountFlags(draw) & 0xf,
      private: draw(3) > 0,
      recursive: draw(3) === 0,
    }),
  ],
  [8, (draw) => ({ op: 'attach', tree: draw(4), namespace: draw(4), path: path(draw), beneath: draw(2) > 0 })],
  [1, (draw) => ({ op: 'attach-in-tree', tree: draw(4), into: draw(4), namespace: draw(4) })],
  [2, (draw) => ({ op: 'move', namespace: draw(4), from: path(draw), path: path(draw) })],
  [2, (draw) => ({ op: 'close-tree', tree: draw(4) })],
  [4, (draw) => ({ op: 'crash', daemon: draw(6) })],
  [2, (draw) => ({ op: 'abort', daemon: draw(6) })],
  [1, (draw) => ({ op: 'hang', daemon: draw(6) })],
  [2, (draw) => ({ op: 'resume', daemon: draw(6) })],
  [3, (draw) => ({ op: 'look-up', namespace: draw(4), path: path(draw), cached: draw(2) > 0 })],
  [6, (draw) => ({ op: 'read', namespace: draw(4), path: path(draw) })],
  [8, (draw) => ({ op: 'replace', namespace: draw(4), path: path(draw), source: path(draw), readOnly: draw(2) > 0 })],
  [3, (draw) => ({ op: 'publish', source: path(draw), path: belowRoot(draw), readOnly: draw(2) > 0 })],
  [1, (draw) => ({ op: 'unpublish', path: belowRoot(draw) })],
];

function path(draw: Draw): string {
  return paths[draw(paths.length)] ?? '/0';
}

/** The root is not unmounted: the kernel's own root below it is the machine's. */
function belowRoot(draw: Draw): string {
  return paths[draw(paths.length - 1)] ?? '/0';
}

/** MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC and MS_NOATIME, each now and then. */
function mountFlags(draw: Draw): number {
  return [1, 2, 4, 8, 0x400].reduce((flags, flag) => (draw(3) === 0 ? flags | flag : flags), 0);
}

/** `random`: numbers in [0, 1). */
export function drawHistory(random: () => number, steps: number): readonly MountStep[] {
  const { draw, maker } = createDraws(random, makers);
  const drawn = Array.from({ length: steps }, () => maker()(draw));
  return draw(3) > 0 ? [...nodeWithContainer(draw(3) === 0), ...drawn].slice(0, steps) : drawn;
}

/** Most histories begin as a node does: a shared root, and a namespace that receives its mounts. */
const nodeWithContainer = (forUser: boolean): readonly MountStep[] => [
  { op: 'propagation', namespace: 0, path: '/', type: 'shared', recursive: true },
  { op: 'copy-namespace', namespace: 0, forUser },
  { op: 'propagation', namespace: 1, path: '/', type: 'slave', recursive: true },
];
