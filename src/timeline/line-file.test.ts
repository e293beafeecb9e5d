import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { HistoryUnwritable } from './line-file.ts';
import { createLineFile } from './line-file.ts';

describe.skipIf(!existsSync('/dev/full'))('a history on a full disk (needs /dev/full)', () => {
  it('reports the first error once, with errno, path and remedy', async () => {
    const errors: HistoryUnwritable[] = [];
    const file = createLineFile(await open('/dev/full', 'w'), '/results/history.ndjson', (error) => errors.push(error));
    file.line('one');
    await expect(file.flush()).rejects.toMatchObject({ code: 'HISTORY_UNWRITABLE', errno: 'ENOSPC' });
    file.line('two');
    await expect(file.close()).rejects.toThrow(
      'cannot write the history /results/history.ndjson: write: ENOSPC: free some space or choose another folder with --out',
    );
    expect(errors).toHaveLength(1);
  });
});
