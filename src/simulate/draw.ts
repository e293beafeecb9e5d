/** Draws a whole number from 0 to `below` − 1. */
export type Draw = (below: number) => number;

/** Makes one kind of step, of which there are as many as `weight` says in proportion to the others. */
export type WeightedMaker<Step> = readonly [weight: number, make: (draw: Draw) => Step];

/** `random`: numbers in [0, 1). The same numbers give the same steps. */
export function createDraws<Step>(
  random: () => number,
  makers: readonly WeightedMaker<Step>[],
): { readonly draw: Draw; readonly maker: () => (draw: Draw) => Step } {
  const draw: Draw = (below) => Math.floor(random() * below);
  const kinds = makers.flatMap(([weight, make]) => Array.from({ length: weight }, () => make));
  return {
    draw,
    maker() {
      const make = kinds[draw(kinds.length)];
      if (make === undefined) throw new Error('no kind of step');
      return make;
    },
  };
}
