import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sampleFiles } from './sample-files.ts';

const isRoot = process.getuid?.() === 0;
const title = `checksums of at most three small files are known, also of those in folders${isRoot ? '' : ' (skipped: needs root)'}`;

test.skipIf(!isRoot)(title, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-sample-'));
  try {
    chmodSync(folder, 0o755);
    expect(await sampleFiles(process.pid, folder)).toEqual({});
    mkdirSync(join(folder, 'below'));
    writeFileSync(join(folder, 'below', 'a'), 'a');
    writeFileSync(join(folder, 'large'), Buffer.alloc((1 << 20) + 1));
    const sum = createHash('sha256').update('a').digest('hex');
    expect(await sampleFiles(process.pid, folder)).toEqual({ 'below/a': sum });
    for (const name of ['b', 'c', 'd', 'e']) writeFileSync(join(folder, name), name);
    expect(Object.keys(await sampleFiles(process.pid, folder))).toHaveLength(3);
    expect(await sampleFiles(process.pid, join(folder, 'none'))).toEqual({});
  } finally {
    rmSync(folder, { recursive: true });
  }
});
