import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execaSync } from 'execa';
import type { RunRecord, ScenarioRecord } from '../../src/timeline/record.ts';
import { plots, sampleRecord, sampleScenario } from '../../src/timeline/testing/sample-run.ts';
import { findChromium, startChromium } from '../testing/browser.ts';

/**
 * `npm run measure-reports`: measures time and memory for the reports of a million probe operations, the size of the page, and how soon
 * Chromium shows it. Prints each figure with its limit. The status is 1 if a limit is exceeded.
 */

const scenarios = 100;
const operations = 10_000;
const budgets = { seconds: 5, megabytes: 500, pageMegabytes: 3, openSeconds: 1 };
const command = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Runs in the measured process and prints its resource usage at exit. */
const meter = `data:text/javascript,${encodeURIComponent(
  'process.on("exit", () => process.stderr.write(JSON.stringify({ ...process.resourceUsage(), ms: performance.now() })))',
)}`;

/** Expressions that are evaluated in the page. They are text because this file has no DOM types. */
const untilShown = `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))`;
const untilDrawn = `(async () => {
  const before = performance.now();
  const article = document.querySelector('.scenario:not(:has(details[open]))');
  article.scrollIntoView();
  article.querySelector('summary').click();
  while (!article.querySelector('canvas')?.width) await new Promise((next) => requestAnimationFrame(next));
  return performance.now() - before;
})()`;

const print = (line: string) => process.stdout.write(`${line}\n`);
const busy = () => `; load of the machine ${loadavg()[0]?.toFixed(1)} on ${cpus().length} CPUs`;
let missed = 0;
function figure(name: string, value: number, unit: string, most: number): void {
  const reached = value <= most;
  if (!reached) missed++;
  print(
    `${reached ? '✔' : '✘'} ${name.padEnd(44)} ${value.toFixed(2).padStart(8)} ${unit}   (at most ${most} ${unit})`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'rekindle-measure-'));
try {
  const [{ model = 'unknown' } = {}] = cpus();
  print(
    `${scenarios} scenarios × ${operations} probe operations; ${cpus().length} × ${model}, Node ${process.version}`,
  );
  const machine = {
    kernel: release(),
    os: 'made up',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    root: true,
  };
  writeLargeRun(folder, { scenarios, operations, rate: 1000, machine });
  print(`history.ndjson: ${(statSync(join(folder, 'history.ndjson')).size / 1e6).toFixed(0)} MB`);
  const argv = ['--import', meter, command, 'report', folder, '--anyway'];
  const { stderr } = execaSync(process.execPath, argv, { stdin: 'ignore', stdout: 'ignore' });
  const { maxRSS, ms, userCPUTime, systemCPUTime } = JSON.parse(stderr.slice(stderr.lastIndexOf('{')));
  // On a machine that has nothing else to do, the whole process takes no longer than its threads together.
  figure('all reports, CPU time of all threads', (userCPUTime + systemCPUTime) / 1e6, 's', budgets.seconds);
  print(`  ${(ms / 1e3).toFixed(2)} s by the clock${busy()}`);
  figure('resident memory at most', maxRSS / 1e3, 'MB', budgets.megabytes);
  const page = join(folder, 'report.html');
  figure('report.html', statSync(page).size / 1e6, 'MB', budgets.pageMegabytes);
  await measureOpening(page);
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = missed > 0 ? 1 : 0;

async function measureOpening(page: string): Promise<void> {
  const path = findChromium(process.env.REKINDLE_CHROMIUM);
  if (path === undefined) {
    print('- not opened: no Chromium on this machine (REKINDLE_CHROMIUM names one)');
    return;
  }
  const browser = await startChromium(path);
  try {
    const opened: number[] = [];
    const drawn: number[] = [];
    for (let time = 0; time < 5; time++) {
      const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await tab.goto(`file://${page}`);
      // From the navigation's start until everything is loaded, the script has run, and a frame was shown.
      opened.push(await tab.evaluate<number>(untilShown));
      drawn.push(await tab.evaluate<number>(untilDrawn));
      await tab.close();
    }
    opened.sort((a, b) => a - b);
    figure('opened in Chromium, median of 5', (opened[2] ?? Number.NaN) / 1e3, 's', budgets.openSeconds);
    print(
      `  fastest ${opened[0]?.toFixed(0)} ms, slowest ${opened[4]?.toFixed(0)} ms; load of the machine ${loadavg()[0]?.toFixed(1)} on ${cpus().length} CPUs`,
    );
    print(`  a scenario of ${operations} operations is drawn ${Math.max(...drawn).toFixed(0)} ms after a click`);
  } finally {
    await browser.close();
  }
}

export interface LargeRun {
  readonly scenarios: number;
  /** Probe operations of each scenario. */
  readonly operations: number;
  /** Operations a second. */
  readonly rate: number;
  readonly machine: RunRecord['machine'];
}

/** Writes `record.json` and `history.ndjson` of a large synthetic run. Equal options give equal files. */
export function writeLargeRun(folder: string, { scenarios, operations, rate, machine }: LargeRun): void {
  const crashing = plots.filter(({ away }) => away !== undefined);
  const written: ScenarioRecord[] = [];
  const file = openSync(join(folder, 'history.ndjson'), 'w');
  let clock = 9e8;
  for (let i = 0; i < scenarios; i++) {
    const plot = crashing[i % crashing.length];
    if (plot === undefined) continue;
    const { scenario, events } = sampleScenario({ plot, id: `${plot.id}-${i + 1}`, from: clock, rate, operations });
    writeSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    written.push({ ...scenario, name: `${scenario.name} (${i + 1})` });
    clock = scenario.finishedAt + 1e8;
  }
  closeSync(file);
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...sampleRecord(written, clock), machine }));
}
