import type { Shape } from './packed.ts';

interface Ink {
  readonly colour: string;
  readonly ground: string;
}

/** Draws a shape around a point, `size` wide: what something is shows in its shape, not in its colour alone. */
export function drawShape(
  context: CanvasRenderingContext2D,
  shape: Shape,
  x: number,
  y: number,
  size: number,
  { colour, ground }: Ink,
): void {
  const r = size / 2;
  context.beginPath();
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1.2, size / 6);
  const polygon = (...points: readonly (readonly [number, number])[]) => {
    for (const [dx, dy] of points) context.lineTo(x + dx * r, y + dy * r);
    context.closePath();
  };
  switch (shape) {
    case 'dot':
      context.arc(x, y, r * 0.6, 0, 7);
      context.fill();
      break;
    case 'circle':
      context.arc(x, y, r * 0.9, 0, 7);
      context.fill();
      break;
    case 'ring':
      context.arc(x, y, r * 0.75, 0, 7);
      hollow(context, ground);
      break;
    case 'square':
      polygon([-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]);
      context.fill();
      break;
    case 'box':
      polygon([-0.75, -0.75], [0.75, -0.75], [0.75, 0.75], [-0.75, 0.75]);
      hollow(context, ground);
      break;
    case 'diamond':
      polygon([0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]);
      context.fill();
      break;
    case 'up':
      polygon([0, -1], [1, 0.9], [-1, 0.9]);
      context.fill();
      break;
    case 'down':
      polygon([0, 1], [1, -0.9], [-1, -0.9]);
      context.fill();
      break;
    case 'hexagon':
      polygon([-1, 0], [-0.5, -0.9], [0.5, -0.9], [1, 0], [0.5, 0.9], [-0.5, 0.9]);
      context.fill();
      break;
    case 'bar':
      polygon([-0.3, -1.1], [0.3, -1.1], [0.3, 1.1], [-0.3, 1.1]);
      context.fill();
      break;
    case 'bolt':
      polygon([0.3, -1.25], [-0.85, 0.2], [-0.1, 0.2], [-0.3, 1.25], [0.85, -0.3], [0.1, -0.3]);
      context.fill();
      break;
    case 'cross':
      context.moveTo(x - r * 0.75, y - r * 0.75);
      context.lineTo(x + r * 0.75, y + r * 0.75);
      context.moveTo(x + r * 0.75, y - r * 0.75);
      context.lineTo(x - r * 0.75, y + r * 0.75);
      context.stroke();
      break;
    case 'plus':
      context.moveTo(x - r, y);
      context.lineTo(x + r, y);
      context.moveTo(x, y - r);
      context.lineTo(x, y + r);
      context.stroke();
      break;
  }
}

function hollow(context: CanvasRenderingContext2D, ground: string): void {
  context.fillStyle = ground;
  context.fill();
  context.stroke();
}
