import { styleText } from 'node:util';
import type { Environment, TextStream } from './environment.ts';

type Format = Parameters<typeof styleText>[0];

/** Colours a text, or returns it unchanged. */
export type Colour = (format: Format, text: string) => string;

/** Colours for a stream: only on a terminal, never with `NO_COLOR` (no-color.org) or a dumb terminal, always with `FORCE_COLOR`. */
export function colourFor(stream: TextStream, env: Environment['env']): Colour {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const wanted = forced || (stream.isTTY === true && env.TERM !== 'dumb');
  const refused = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  if (!wanted || refused) return (_, text) => text;
  return (format, text) => styleText(format, text, { validateStream: false });
}
