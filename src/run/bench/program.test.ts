import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { programOf } from './program.ts';

test('a peer’s report has the digest of its program, found on the PATH, and of the files among its arguments', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'rekindle-peer-'));
  try {
    const digest = (text: string) => createHash('sha256').update(text).digest('hex');
    writeFileSync(join(cwd, 'agent'), '#!/bin/sh\n');
    writeFileSync(join(cwd, 'script.js'), '1');
    expect(() => programOf('agent script.js', { cwd, env: { PATH: cwd } })).toThrow('no executable program "agent"');
    chmodSync(join(cwd, 'agent'), 0o755);
    expect(programOf(" agent 'script.js' --flag", { cwd, env: { PATH: `/nowhere:${cwd}` } })).toEqual({
      command: "agent 'script.js' --flag",
      files: [
        { path: join(cwd, 'agent'), sha256: digest('#!/bin/sh\n') },
        { path: join(cwd, 'script.js'), sha256: digest('1') },
      ],
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
