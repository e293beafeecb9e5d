import { becomeHarness } from './become-harness.ts';

/*
 * The entry of the command line, and the only place that reads the process: its arguments, environment, working directory,
 * streams and signals. bin/rekindle.js starts it.
 */
const runId = becomeHarness(process);
const { start } = await import('./start.ts');
await start(process, runId);
