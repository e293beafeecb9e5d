import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../clusters/cluster.ts';
import { sandbox } from '../../clusters/sandbox/sandbox.ts';
import { requirements } from '../doctor/assess.ts';
import { newRunId } from '../run-id.ts';
import { parseRecord } from '../timeline/parse.ts';
import type { HistoryEvent } from '../timeline/record.ts';
import type { CrashOptions } from '../verbs.ts';
import { crash } from './crash.ts';

const [missing] = await requirements({ env: process.env, temporary: tmpdir() });
let out: string;

beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'rekindle-crash-'));
});
afterEach(() => rmSync(out, { recursive: true }));

interface Change {
  /** The agent's gate, whatever the run asks for. */
  readonly recovers: boolean;
  readonly onEvent?: (event: HistoryEvent) => void;
  /** Why the sandbox does not end properly. */
  readonly failure?: string;
}

function sandboxWith({ recovers, onEvent, failure }: Change): Cluster {
  return {
    ...sandbox,
    async start(options) {
      const running = await sandbox.start({
        ...options,
        agent: { ...options.agent, fuseRecovery: recovers },
        onEvent(event) {
          options.onEvent(event);
          onEvent?.(event);
        },
      });
      const end = running[Symbol.asyncDispose].bind(running);
      const value = async () => {
        await end();
        if (failure !== undefined) throw new Error(failure);
      };
      return Object.defineProperty(running, Symbol.asyncDispose, { value });
    },
  };
}

function optionsFor(signal: AbortSignal): CrashOptions & { readonly printed: () => string } {
  const texts: string[] = [];
  const sink = { write: (text: string) => texts.push(text) };
  return {
    runId: newRunId(new Date(), Math.random),
    out,
    seed: 1,
    fault: 'sigkill',
    recovery: true,
    hold: false,
    command: [],
    watchMs: 10_000,
    environment: { cwd: process.cwd(), env: process.env, stdout: sink, stderr: sink, signal },
    printed: () => texts.join(''),
  };
}

/** The record of a run, and the kinds of events in its timeline. */
function readRun(folder: string) {
  const record = parseRecord(readFileSync(join(folder, 'record.json'), 'utf8'));
  const lines = readFileSync(join(folder, 'history.ndjson'), 'utf8').trim().split('\n');
  const [scenario] = record.scenarios;
  return { record, scenario, kinds: new Set(lines.map((line) => JSON.parse(line).kind)) };
}

describe.skipIf(missing !== undefined)(
  `rekindle crash${missing ? ` (${missing.what})` : ''}`,
  { timeout: 240_000 },
  () => {
    it('keeps record and timeline of a pod that never reads again, and judges it whatever cannot be cleaned up', async () => {
      const options = optionsFor(new AbortController().signal);
      const cluster = sandboxWith({ recovers: false, failure: 'a mount is busy' });
      const { verdict, resultsDir, leftovers } = await crash(options, async () => cluster);
      const { scenario, kinds } = readRun(resultsDir);
      expect(verdict, options.printed()).toBe('fail');
      expect(leftovers).toEqual(['a mount is busy']);
      expect(scenario?.status).toBe('fail');
      expect(scenario?.checks.filter((check) => check.verdict === 'fail').map(({ claims }) => claims)).toContainEqual([
        'C3',
      ]);
      expect([...kinds]).toEqual(expect.arrayContaining(['fault', 'probe', 'process']));
    });

    it('keeps record and timeline of a run that was interrupted', async () => {
      const controller = new AbortController();
      const onEvent = (event: HistoryEvent) => {
        if (event.kind === 'probe' && event.result !== 'ok') controller.abort(new Error('interrupted'));
      };
      const options = optionsFor(controller.signal);
      const { verdict, resultsDir } = await crash(options, async () => sandboxWith({ recovers: true, onEvent }));
      const { record, scenario, kinds } = readRun(resultsDir);
      expect([verdict, record.interrupted, scenario?.status]).toEqual(['inconclusive', true, 'inconclusive']);
      expect([...kinds]).toEqual(expect.arrayContaining(['fault', 'probe']));
    });
  },
);
