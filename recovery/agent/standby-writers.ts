/**
 * Looks for a moment at which a volume is writable: `node recovery/agent/standby-writers.ts [FAILOVERS] [SECONDS]`, as root. 10,000 failovers
 * of pods, 20 in each crash, or as many as fit into 300 seconds, by default. The real engine on the real kernel; a program tries to write all
 * the time, in each pod and at each target path. Exit status 1 if it could.
 */
import { readCounts } from '../command-line.ts';
import { runScenario } from '../linux/fixtures/private-namespace.ts';
import type { FailoversUnderWriters } from '../linux/fixtures/scenarios/standby.ts';

const consumers = 20;
const [failovers = 0, seconds = 0] = readCounts(
  'node recovery/agent/standby-writers.ts [FAILOVERS, by default 10000] [SECONDS, by default 300]',
  [10_000, 300],
);
const crashesAtOnce = 25;
const deadline = performance.now() + seconds * 1000;
const attempts: Record<string, number> = {};
let replaced = 0;
while (replaced < failovers && performance.now() < deadline) {
  const crashes = Math.min(crashesAtOnce, Math.ceil((failovers - replaced) / consumers));
  const run = await runScenario<FailoversUnderWriters>('standby', 'writers', {
    input: { consumers, crashes },
    timeoutMs: 900_000,
  });
  replaced += run.replaced;
  for (const [result, count] of Object.entries(run.attempts)) attempts[result] = (attempts[result] ?? 0) + count;
}
const counts = Object.entries(attempts).map(([result, count]) => `${result} ${count}`);
process.stdout.write(`${replaced} failovers of pods; attempts to write: ${counts.join(', ')}\n`);
process.exitCode = attempts.WRITABLE === undefined ? 0 : 1;
