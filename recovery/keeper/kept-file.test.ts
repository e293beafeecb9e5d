import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { readKeptFile, writeKeptFile } from './kept-file.ts';
import { keptFileName } from './protocol.ts';

describe('the file of kept connections', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'rekindle-kept-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is read as it was written', () => {
    const kept = [{ device: '0:55' as DeviceId, until: 123_456_789_012_345n as Nanoseconds }];
    writeKeptFile(directory, kept);
    expect(readKeptFile(directory)).toEqual(kept);
  });

  it.each(['', '{', '{}', 'null', '[1,null,{"device":"0:1"},{"device":"0:1","until":5},{"device":"0:1","until":"x"}]'])(
    'names nothing if it is damaged: %s',
    (text) => {
      writeFileSync(join(directory, keptFileName), text);
      expect(readKeptFile(directory)).toEqual([]);
    },
  );

  it('names nothing if there is none', () => {
    expect(readKeptFile(directory)).toEqual([]);
  });
});
