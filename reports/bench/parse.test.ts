import { describe, expect, it } from 'vitest';
import { parseBench } from './parse.ts';
import { sampleBench } from './testing/sample-bench.ts';

const bench = sampleBench();
const json = JSON.stringify(bench);

describe('bench.json', () => {
  it('reads back as it was written', () => {
    expect(parseBench(json, 'a')).toEqual(bench);
  });

  it.each([
    ['empty', ' \n', 'a: is empty'],
    ['cut in the middle', json.slice(0, 500), 'a: is cut in the middle'],
    ['no JSON', 'hello', 'a: is not JSON'],
    ['something else', '[1]', 'a: is not an object'],
    ['another JSON file', '{}', 'a: has no schema version, so it is no record of a benchmark'],
    [
      'of another version',
      JSON.stringify({ ...bench, schema: 'rekindle.bench/9' }),
      'a: was written as "rekindle.bench/9"; this version compares rekindle.bench/1 only',
    ],
    ['a record of a run', '{"schema":"rekindle.record/1"}', 'a: was written as "rekindle.record/1"'],
    [
      'of other phases',
      JSON.stringify({ ...bench, phases: ['x'] }),
      'a: has other phases (x) than this version measures',
    ],
    [
      'damaged',
      JSON.stringify({ ...bench, series: [{ ...bench.series[0], asked: 'many' }] }),
      'a: series[0].asked: must be a number; it is "many"',
    ],
  ])('is refused with a sentence where it is %s', (_, text, says) => {
    expect(() => parseBench(text, 'a')).toThrow(says);
  });
});
