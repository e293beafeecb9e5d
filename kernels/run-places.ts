/** Checks a checkout in each kind of place (`make places`): it makes the place, copies the project there and runs part of the checks. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { verbArguments } from '../house/verb-arguments.ts';
import { readResults } from './guest.ts';
import { cacheDirectory } from './packages.ts';
import { type Place, placeChecks, placeCommand, places } from './places.ts';
import { type PlaceResult, recordPlace } from './results.ts';

const usage = `Usage: make places ARGS="[--only TEXT]... [--brief] [--record] [--list]"

Copies the project to places of every kind, installs it, and runs in each: doctor, the documented crash scenarios, and the tests of what
touches the machine; where all is combined, all documented scenarios. Needs root; Debian's releases are made by debootstrap.

  --only TEXT    the places whose name contains the text; may be repeated
  --brief        no scenarios
  --record       keep the results in kernels/place-results.json, from which "npm run docs" makes docs/reference/places.md
  --list         list the places, and make none

Exit status: 0 all passed; 1 a check failed; 2 usage; 3 no place could be made.
`;

const project = fileURLToPath(new URL('..', import.meta.url));
/** Without the programs of this checkout's packages. */
const userPath = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => !folder.includes('/node_modules/'))
  .join(':');
/** Of npm and Node. */
const warnings = /^npm warn .*|^\(node:\d+\) .*/m;
const write = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values } = verbArguments('places', usage, {
    only: { type: 'string', multiple: true },
    brief: { type: 'boolean' },
    record: { type: 'boolean' },
    list: { type: 'boolean' },
  });
  const { only = [''], brief = false, list, record } = values;
  const chosen = places.filter(({ name }) => only.some((text) => name.includes(text)));
  if (list) {
    write(chosen.map(({ name, description }) => `${name.padEnd(14)}  ${description}`).join('\n'));
    return 0;
  }
  if (process.getuid?.() !== 0) {
    write('needs root, to mount in private namespaces');
    return 3;
  }
  const results: PlaceResult[] = [];
  for (const place of chosen) {
    write(`${place.name}: ${place.description}`);
    const result = await tryPlace(place, brief);
    for (const { outcome, name, seconds, summary } of result.checks)
      write(`  ${outcome}: ${name} (${seconds} s): ${summary}`);
    results.push(result);
    if (record) recordPlace(result);
  }
  const failed = results.filter(({ checks }) => checks.some(({ outcome }) => outcome !== 'passed'));
  write(`${results.length} places, ${failed.length} failed`);
  return failed.length > 0 ? 1 : results.length === 0 ? 3 : 0;
}

/** What `git clone` would bring, and what is not committed yet. */
async function packSources(file: string): Promise<void> {
  const { stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: project,
    stripFinalNewline: false,
  });
  const present = stdout.split('\0').filter((path) => path !== '' && existsSync(join(project, path)));
  await execa('tar', ['-cf', file, '--null', '--files-from=-'], { cwd: project, input: present.join('\0') });
}

async function tryPlace(place: Place, brief: boolean): Promise<PlaceResult> {
  const { name } = place;
  const out = join(project, 'results', 'places', name);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const cache = cacheDirectory('places');
  mkdirSync(cache, { recursive: true });
  // Another user can enter it, unlike the home directory, and nothing is mounted over it, unlike /tmp.
  const scratch = mkdtempSync('/var/tmp/rekindle-place-');
  chmodSync(scratch, 0o755);
  try {
    await packSources(join(scratch, 'sources.tar'));
    const { all, failed } = await execa(
      'unshare',
      ['--mount', '--propagation', 'private', 'bash', '-c', placeCommand(place, brief)],
      {
        env: { PATH: userPath, newNode: process.execPath, scratch, out, cache },
        all: true,
        reject: false,
        stdin: 'ignore',
      },
    );
    appendFileSync(join(out, 'place.log'), all);
    if (failed) write(all.trim().split('\n').slice(-5).join('\n'));
  } finally {
    // What was mounted there has ended with its namespace.
    rmSync(scratch, { recursive: true, force: true });
  }
  const checks = readResults(out, placeChecks(place, brief)).map((check) => {
    const log = join(out, `${check.name}.log`);
    const text = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
    const warning = warnings.exec(text)?.[0];
    if (check.outcome === 'failed') write(text.split('\n').slice(-30).join('\n'));
    return warning === undefined ? check : { ...check, outcome: 'failed' as const, summary: warning };
  });
  return { place: name, date: new Date().toISOString().slice(0, 10), checks };
}

process.exitCode = await main();
