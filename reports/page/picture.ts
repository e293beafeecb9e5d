import type { Palette } from './palette.ts';
import type { View } from './scale.ts';

/** Something drawn that can be pointed at: a box on the canvas, and what it says. */
export interface Target {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly says: string;
}

export interface Picture {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly view: View;
  readonly palette: Palette;
  /** Hatchings by colour. */
  readonly hatch: (colour: string) => CanvasPattern | string;
}

export function line(
  context: CanvasRenderingContext2D,
  colour: string,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
