import type { BenchConditions, BenchOptions } from '../verbs.ts';
import { UsageError, unknown } from './usage-error.ts';

/** How each condition of a benchmark is read. */
export type ConditionParsers = {
  readonly [Name in 'fault' | 'pods' | 'datasets' | 'rate' | 'pacing']: (text: string) => Partial<BenchConditions>;
};

/** `pods=1,10,100`: the benchmark again for each, with one condition changed. */
export function parseVary(text: string, parsers: ConditionParsers): NonNullable<BenchOptions['vary']> {
  const match = /^([a-z]+)=([^=]+)$/.exec(text);
  if (!match)
    throw new UsageError(`bad --vary ${JSON.stringify(text)}: accepted is NAME=VALUE,VALUE as in pods=1,10,100`);
  const [, name = '', values = ''] = match;
  if (!isCondition(name, parsers)) throw unknown('condition', name, Object.keys(parsers));
  const points = values.split(',').map((value) => parsers[name](value.trim()));
  if (new Set(points.map((point) => JSON.stringify(point))).size < points.length)
    throw new UsageError(`bad --vary ${JSON.stringify(text)}: each value once`);
  return { name: name === 'pacing' ? 'pacingMs' : name, points };
}

function isCondition(name: string, parsers: ConditionParsers): name is keyof ConditionParsers {
  return name in parsers;
}
