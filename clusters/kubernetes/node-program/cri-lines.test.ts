import { describe, expect, it } from 'vitest';
import { createCriReader } from './cri-lines.ts';

describe('the log of a container', () => {
  it('gives each line with its stream', () => {
    const read = createCriReader();
    expect(
      read('2026-01-01T00:00:00.000000001Z stdout F {"event":"ready"}\n2026-01-01T00:00:00Z stderr F oh no\n'),
    ).toEqual([
      { stream: 'stdout', text: '{"event":"ready"}' },
      { stream: 'stderr', text: 'oh no' },
    ]);
  });

  it('puts together what comes in pieces, and what the runtime has cut', () => {
    const read = createCriReader();
    expect(read('2026-01-01T00:00:00Z stdout P one ')).toEqual([]);
    expect(read('two\n2026-01-01T00:00:00Z stderr F between\n2026-01-01T00:00:00Z std')).toEqual([
      { stream: 'stderr', text: 'between' },
    ]);
    expect(read('out F  three\n')).toEqual([{ stream: 'stdout', text: 'one two three' }]);
  });

  it('keeps empty lines and passes over what is no line of a log', () => {
    expect(createCriReader()('2026-01-01T00:00:00Z stdout F \nnonsense\n')).toEqual([{ stream: 'stdout', text: '' }]);
  });
});
