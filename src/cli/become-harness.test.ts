import { expect, test, vi } from 'vitest';
import type { RunId } from '../run-id.ts';
import { becomeHarness } from './become-harness.ts';

const id = '20261122-134501-k3f9' as RunId;
const other = '20261122-134501-zzzz' as RunId;

function self(command: string, env: Record<string, string>) {
  const execve = vi.fn<(file: string, args: readonly string[], env: Record<string, string | undefined>) => void>();
  return { execPath: '/node', execArgv: ['--x'], argv: ['/node', '/main.ts', command, '--tags', '@C2'], env, execve };
}

test.each(['conform', 'crash', 'bench', 'simulate'])(
  '%s replaces itself by itself, with a new run id and the role in its environment',
  (command) => {
    const it = self(command, { HOME: '/h' });
    becomeHarness(it, { flags: ['--y'], newId: () => id });
    const env = { HOME: '/h', REKINDLE_RUN_ID: id, REKINDLE_RUN_ROLE: 'harness' };
    expect(it.execve).toHaveBeenCalledExactlyOnceWith(
      '/node',
      ['/node', '--x', '--y', '/main.ts', command, '--tags', '@C2'],
      env,
    );
  },
);

test('the harness keeps its id, and does not pass its role on', () => {
  const it = self('conform', { REKINDLE_RUN_ID: id, REKINDLE_RUN_ROLE: 'harness' });
  expect(becomeHarness(it, { newId: () => other })).toBe(id);
  expect(it.execve).not.toHaveBeenCalled();
  expect(it.env).toEqual({ REKINDLE_RUN_ID: id });
});

test('a run inside a run has an id of its own', () => {
  const it = self('crash', { REKINDLE_RUN_ID: other });
  becomeHarness(it, { newId: () => id });
  expect(it.execve.mock.calls[0]?.[2]).toMatchObject({ REKINDLE_RUN_ID: id, REKINDLE_RUN_ROLE: 'harness' });
});

test('other commands stay as they are', () => {
  const it = self('doctor', {});
  becomeHarness(it, { newId: () => id });
  expect(it.execve).not.toHaveBeenCalled();
});
