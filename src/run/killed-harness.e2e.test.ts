import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it, vi } from 'vitest';
import { requirements } from '../doctor/assess.ts';
import { listRunProcesses } from '../doctor/clean/processes.ts';
import { newRunId } from '../run-id.ts';

const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const [missing] = await requirements({ env: process.env, temporary: tmpdir() });

// Processes hold all that a sandbox has: namespaces with their mounts, store and agent.
it.skipIf(missing !== undefined)(
  `no process of a run outlives its killed harness, although no mount table changes${missing ? ` (skipped: ${missing.what})` : ''}`,
  async () => {
    const out = mkdtempSync(join(tmpdir(), 'rekindle-killed-'));
    const runId = newRunId(new Date(), Math.random);
    const ofRun = () => listRunProcesses(process.pid).filter((each) => each.runId === runId);
    await using scope = new AsyncDisposableStack();
    scope.defer(() => rmSync(out, { recursive: true }));
    scope.defer(() => {
      for (const { pid } of ofRun()) process.kill(pid, 'SIGKILL');
    });
    const harness = execa(process.execPath, [main, 'crash', '--hold', '--out', out], {
      env: { REKINDLE_RUN_ID: runId, REKINDLE_RUN_ROLE: 'harness' },
      stdio: ['pipe', 'pipe', 'ignore'],
      buffer: false,
      reject: false,
    });
    for await (const line of createInterface({ input: harness.stdout })) if (line.startsWith('Held.')) break;
    expect(ofRun().length).toBeGreaterThan(3);
    const exited = once(harness, 'exit');
    harness.kill('SIGKILL');
    await exited;
    await vi.waitFor(() => expect(ofRun().map(({ command }) => command)).toEqual([]), { timeout: 60_000 });
  },
  300_000,
);
