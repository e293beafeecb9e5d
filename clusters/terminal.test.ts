import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ClusterEvent } from './cluster.ts';
import { hasKubectl, openTerminal, runCommandLine } from './terminal.ts';

const options = { kubeConfig: 'a kubeconfig', environment: process.env, runId: 'test', onEvent: () => {} };

it('runs several lines as typed, on a terminal, where the files are', async () => {
  await using terminal = openTerminal(options);
  terminal.write('secret.yaml', 'kept');
  const { stdout, exitCode } = await terminal.run(
    'name=$(cat secret.yaml)\necho "$name"; cat $KUBECONFIG; test -t 1 && exit 3',
  );
  expect({ stdout, exitCode }).toEqual({ stdout: 'kept\na kubeconfig', exitCode: 3 });
});

it('prints each line of the session, and ends it', async () => {
  const events: ClusterEvent[] = [];
  const first = Promise.withResolvers<void>();
  const onEvent = (event: ClusterEvent) => {
    events.push(event);
    first.resolve();
  };
  await using terminal = openTerminal({ ...options, onEvent });
  const program = await terminal.start('while true; do echo again; sleep 60; done', 'loop');
  await first.promise;
  expect(events[0]).toMatchObject({ kind: 'output', program: 'loop', text: 'again' });
  await program[Symbol.asyncDispose]();
  expect((await program.exited).signal).toBe('SIGKILL');
});

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
