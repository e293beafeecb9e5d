import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { killAll, startLineHelper } from './helper.ts';
import { childrenOf } from './processes.ts';

const echo = [
  process.execPath,
  '--eval',
  "process.stdin.on('data', (text) => process.stdout.write(process.env.A + ' ' + text))",
];
const started = { timeout: 20_000 };

it('talks in lines, with no variables but those that it is given, and is noticed when it ends', async () => {
  const lines: string[] = [];
  const helper = startLineHelper({ command: echo, env: { A: 'b' }, onLine: (line) => lines.push(line) });
  helper.send('one');
  helper.send('two');
  await vi.waitFor(() => expect(lines.length).toBe(2), started);
  expect(lines[0]).toBe('b one');
  expect(childrenOf('/proc', process.pid)).toContain(helper.pid());
  expect(readFileSync(`/proc/${helper.pid()}/environ`, 'utf8')).toBe('A=b\0');
  process.kill(helper.pid() ?? 0, 'SIGKILL');
  await helper.ended;
  expect(helper.hasEnded()).toBe(true);
  // Nobody else takes the status of a process that has ended.
  expect(childrenOf('/proc', process.pid)).not.toContain(helper.pid());
});

it('has ended if its program is missing', async () => {
  const helper = startLineHelper({ command: ['/nonexistent'], onLine: () => {} });
  await helper.ended;
  expect([helper.pid(), helper.hasEnded()]).toEqual([undefined, true]);
});

it('can be killed before it has started', async () => {
  const helper = startLineHelper({
    command: [process.execPath, '--eval', 'setInterval(() => {}, 1000)'],
    onLine: () => {},
  });
  await killAll([helper]);
  await helper.ended;
  expect(helper.hasEnded()).toBe(true);
});
