import { packageFlags } from '../../clusters/bundled-packages.ts';
import { becomeHarness } from './become-harness.ts';

/*
 * Entry point of the command line, and the only place that reads `process`: arguments, environment, working directory, streams
 * and signals. Started by bin/rekindle.js.
 */
const runId = becomeHarness(process, { flags: packageFlags() });
const { start } = await import('./start.ts');
await start(process, runId);
