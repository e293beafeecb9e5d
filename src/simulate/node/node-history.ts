import { createDraws, type WeightedMaker } from '../draw.ts';

/** One event of a simulated node; `after`: milliseconds since the one before. Volumes and pods are numbers modulo their count. */
export type NodeStep = { readonly after: number } & (
  | {
      readonly op: 'create-pod';
      readonly volume: number;
      readonly propagation: 'slave' | 'private';
      readonly labelled: boolean;
    }
  | { readonly op: 'delete-pod' | 'restart-container' | 'republish' | 'cover' | 'mount-inside'; readonly pod: number }
  | { readonly op: 'crash'; readonly volume: number; readonly stacks: boolean }
  | { readonly op: 'hang' | 'answer' | 'mount-foreign'; readonly volume: number }
  | { readonly op: 'agent-dies'; readonly calls: number }
  | { readonly op: 'restart-kubelet' | 'api-silent' | 'api-answers' | 'wait' }
);

type Body = NodeStep extends infer Step ? (Step extends unknown ? Omit<Step, 'after'> : never) : never;

const makers: readonly WeightedMaker<Body>[] = [
  [
    5,
    (draw) => ({
      op: 'create-pod',
      volume: draw(3),
      propagation: draw(3) > 0 ? 'slave' : 'private',
      labelled: draw(5) > 0,
    }),
  ],
  [3, (draw) => ({ op: 'delete-pod', pod: draw(8) })],
  [3, (draw) => ({ op: 'restart-container', pod: draw(8) })],
  [2, (draw) => ({ op: 'republish', pod: draw(8) })],
  [1, (draw) => ({ op: 'cover', pod: draw(8) })],
  [1, (draw) => ({ op: 'mount-foreign', volume: draw(3) })],
  [2, (draw) => ({ op: 'mount-inside', pod: draw(8) })],
  [9, (draw) => ({ op: 'crash', volume: draw(3), stacks: draw(3) === 0 })],
  [2, (draw) => ({ op: 'hang', volume: draw(3) })],
  [3, (draw) => ({ op: 'answer', volume: draw(3) })],
  [5, (draw) => ({ op: 'agent-dies', calls: draw(60) })],
  [1, () => ({ op: 'restart-kubelet' })],
  [1, () => ({ op: 'api-silent' })],
  [2, () => ({ op: 'api-answers' })],
  [4, () => ({ op: 'wait' })],
];

/** Milliseconds: often none or a few, now and then some seconds. */
const pauses = [0, 0, 1, 5, 30, 200, 1000, 4000, 12_000];

/** `random`: numbers in [0, 1). */
export function drawNodeHistory(random: () => number, steps: number): readonly NodeStep[] {
  const { draw, maker } = createDraws(random, makers);
  return Array.from({ length: steps }, (): NodeStep => {
    const make = maker();
    return { after: pauses[draw(pauses.length)] ?? 0, ...make(draw) };
  });
}
