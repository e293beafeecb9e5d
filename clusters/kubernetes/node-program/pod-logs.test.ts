import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCriReader, PodLogs } from './pod-logs.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rekindle-pod-logs-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (text: string) => `2026-01-01T00:00:00Z stdout F ${text}\n`;
const folderOf = (pod: string) => join(directory, `rk-a_${pod}_uid`, 'demo');

/** The logs of the directory from now on, as `container restart: text`, and a promise for each that is still to come. */
function follow() {
  const seen: string[] = [];
  let wake = () => {};
  const logs = new PodLogs({
    directory,
    wants: ({ namespace }) => namespace.startsWith('rk-'),
    onContainer: ({ pod, restart }) => seen.push(`${pod} ${restart} started`),
    onLine({ pod, restart }, { text }) {
      seen.push(`${pod} ${restart}: ${text}`);
      wake();
    },
  });
  const says = async (text: string) => {
    while (!seen.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
    return seen;
  };
  return { logs, says };
}

it('reports existing lines, and only those of a container’s last start', async () => {
  mkdirSync(folderOf('old'), { recursive: true });
  writeFileSync(join(folderOf('old'), '0.log'), line('once'));
  writeFileSync(join(folderOf('old'), '10.log'), line('again'));
  const { logs, says } = follow();
  using _ = logs;
  expect(await says('old 10: again')).toEqual(['old 0: once', 'old 10 started', 'old 10: again']);
});

it('follows pods that come, their restarts, and lines as they are written', async () => {
  const { logs, says } = follow();
  using _ = logs;
  mkdirSync(folderOf('new'), { recursive: true });
  writeFileSync(join(folderOf('new'), '0.log'), line('first'));
  await says('new 0: first');
  appendFileSync(join(folderOf('new'), '0.log'), line('second'));
  await says('new 0: second');
  writeFileSync(join(folderOf('new'), '1.log'), line('after a crash'));
  expect(await says('new 1: after a crash')).toContain('new 1 started');
});

it('ignores other pods', async () => {
  mkdirSync(join(directory, 'kube-system_dns_uid/dns'), { recursive: true });
  writeFileSync(join(directory, 'kube-system_dns_uid/dns/0.log'), line('theirs'));
  mkdirSync(folderOf('own'), { recursive: true });
  writeFileSync(join(folderOf('own'), '0.log'), line('ours'));
  const { logs, says } = follow();
  using _ = logs;
  expect(await says('own 0: ours')).toEqual(['own 0 started', 'own 0: ours']);
});

describe('the log of a container', () => {
  it('gives each line with its stream', () => {
    const read = createCriReader();
    expect(
      read('2026-01-01T00:00:00.000000001Z stdout F {"event":"ready"}\n2026-01-01T00:00:00Z stderr F oh no\n'),
    ).toEqual([
      { stream: 'stdout', text: '{"event":"ready"}' },
      { stream: 'stderr', text: 'oh no' },
    ]);
  });

  it('joins lines that arrive in pieces or that the runtime has split', () => {
    const read = createCriReader();
    expect(read('2026-01-01T00:00:00Z stdout P one ')).toEqual([]);
    expect(read('two\n2026-01-01T00:00:00Z stderr F between\n2026-01-01T00:00:00Z std')).toEqual([
      { stream: 'stderr', text: 'between' },
    ]);
    expect(read('out F  three\n')).toEqual([{ stream: 'stdout', text: 'one two three' }]);
  });

  it('keeps empty lines and ignores what is not a line of a log', () => {
    expect(createCriReader()('2026-01-01T00:00:00Z stdout F \nnonsense\n')).toEqual([{ stream: 'stdout', text: '' }]);
  });
});
