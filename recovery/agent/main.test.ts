import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const run = (...flags: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...flags], { encoding: 'utf8', env: {} });
  return { status, stdout, stderr };
};

describe('the command line', () => {
  it('explains itself', () => {
    expect(run('--help')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Usage: rekindle-agent'),
      stderr: '',
    });
  });

  it('refuses an unknown flag with status 2 and one sentence', () => {
    const { status, stdout, stderr } = run('--nodeid=n', '--endpoint=unix:///x.sock', '--recover=yes');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^--recover=yes is not known; the flags are .*\n$/);
  });

  it('does not start without a cluster: status 3 and the remedy', () => {
    const { status, stderr } = run('--nodeid=n', '--endpoint=unix:///x.sock');
    expect({ status, stderr }).toEqual({ status: 3, stderr: expect.stringMatching(/^no API server is known: .*\n$/) });
  });
});
