import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasKubectl, runCommandLine } from './command-line.ts';

const run = (line: string) =>
  runCommandLine({ line, kubeConfig: 'the only one', environment: { PATH: '/usr/bin:/bin', SECRET: 's' }, runId: 't' });

describe('runCommandLine', () => {
  it('gives what a line printed, and how its pipe ended', async () => {
    expect(await run("printf 'a\\nb\\n' | sed 's/a/c/g' | grep c")).toMatchObject({ exitCode: 0, stdout: 'c\n' });
    expect(await run('echo why >&2; exit 3')).toMatchObject({ exitCode: 3, stderr: 'why\n' });
    expect(await run('false | true')).toMatchObject({ exitCode: 1 });
  });

  it('shows it one kubeconfig, a home of its own and nothing else of the user', async () => {
    const { stdout } = await run('cat $KUBECONFIG; echo; basename $HOME; echo [$SECRET]; stat -c %a $KUBECONFIG');
    expect(stdout).toMatch(/^the only one\nrekindle-t-kubectl-\w+\n\[\]\n600\n$/);
  });
});

describe('hasKubectl', () => {
  it('looks for a program of that name in the folders of the PATH', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rekindle-path-'));
    try {
      expect(hasKubectl({ PATH: `:${folder}` })).toBe(false);
      writeFileSync(join(folder, 'kubectl'), '', { mode: 0o755 });
      expect(hasKubectl({ PATH: `:${folder}` })).toBe(true);
      expect(hasKubectl({})).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
