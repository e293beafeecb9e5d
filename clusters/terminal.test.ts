import { expect, it } from 'vitest';
import type { ClusterEvent } from './cluster.ts';
import { openTerminal } from './terminal.ts';

const options = { kubeConfig: 'a kubeconfig', environment: process.env, runId: 'test', onEvent: () => {} };

it('runs several lines as typed, on a terminal, where the files are', async () => {
  await using terminal = openTerminal(options);
  terminal.write('secret.yaml', 'kept');
  const { stdout, exitCode } = await terminal.run(
    'name=$(cat secret.yaml)\necho "$name"; cat $KUBECONFIG; test -t 1 && exit 3',
  );
  expect({ stdout, exitCode }).toEqual({ stdout: 'kept\na kubeconfig', exitCode: 3 });
});

it('tells the lines of what goes on, and ends it', async () => {
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
