/** Boots other kernels and runs Rekindle on each (`make kernels`). */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { type DebianKernel, kernelForCommit, kernels } from './catalogue.ts';
import { type CheckChoice, type GuestCheck, guestChecks, guestCommand, readResults } from './guest.ts';
import { directoryOf, downloadKernel, PackageMissing, unpack } from './packages.ts';
import { type KernelResult, recordResult } from './results.ts';

const usage = `Usage: make kernels ARGS="[--only TEXT]... [--commit HASH] [--documented] [--brief] [--record] [--list]"

Boots the kernels of Debian's releases, and runs on each: rekindle doctor, rekindle crash, and 200 histories of rekindle simulate
--against-kernel; on user-mode Linux also the documented scenarios. The packages are downloaded by apt with a configuration of its own.

  --only TEXT    the kernels whose name contains the text; may be repeated
  --commit HASH  one user-mode kernel, chosen by the commit
  --documented   the documented scenarios on emulated machines as well, which takes half an hour for each
  --brief        40 histories and no documented scenarios
  --record       keep the results in kernels/results.json, from which "npm run docs" makes docs/reference/kernels.md
  --list         list the kernels, and boot none

On arm64 ("make arm64") three scenarios are run instead of the histories.

The environment variable RUN_ON_KERNEL names the script that boots a kernel, by default ../shared/machine/run-on-kernel.sh.

Exit status: 0 all passed; 1 a check failed; 2 usage; 3 no kernel could be booted.
`;

const project = fileURLToPath(new URL('..', import.meta.url));
const { RUN_ON_KERNEL = join(project, '../shared/machine/run-on-kernel.sh') } = process.env;
const arm64Runner = join(project, 'kernels/run-on-arm64.sh');
const write = (text: string) => void process.stdout.write(`${text}\n`);

const options = {
  only: { type: 'string', multiple: true },
  commit: { type: 'string' },
  documented: { type: 'boolean' },
  brief: { type: 'boolean' },
  record: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

async function main(): Promise<number> {
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const { commit, only = [''] } = values;
  const chosen =
    commit === undefined
      ? kernels.filter(({ name }) => only.some((text) => name.includes(text)))
      : [kernelForCommit(commit)];
  if (values.help || values.list) {
    write(
      values.help
        ? usage
        : chosen.map(({ name, boots, suites }) => `${name}\t${boots}\t${suites.join(', ')}`).join('\n'),
    );
    return 0;
  }
  if (chosen.length === 0) return refuse(`no kernel is called ${only.join(' or ')}: --list shows all`);

  const results: KernelResult[] = [];
  const skips: string[] = [];
  for (const kernel of chosen) {
    write(`${kernel.name} (${kernel.boots})`);
    const documented = !values.brief && (kernel.boots === 'user-mode' || values.documented === true);
    const result = await tryKernel(kernel, { histories: values.brief ? 40 : 200, documented });
    if (typeof result === 'string') {
      skips.push(`${kernel.name}: ${result}`);
      write(`  skipped: ${result}`);
    } else {
      results.push(result);
      if (values.record) recordResult(result);
    }
  }
  const failed = results.filter(({ checks }) => checks.some(({ outcome }) => outcome !== 'passed'));
  write(`${results.length} kernels booted, ${failed.length} failed, ${skips.length} skipped`);
  if (results.length === 0) write(skips.join('; '));
  return failed.length > 0 ? 1 : results.length === 0 ? 3 : 0;
}

/** Boots a kernel and makes the checks there. Resolves with the reason if that is impossible here. */
async function tryKernel(kernel: DebianKernel, choice: CheckChoice): Promise<KernelResult | string> {
  const runner = kernel.processor === 'arm64' ? arm64Runner : RUN_ON_KERNEL;
  const emulator = { arm64: 'qemu-system-aarch64', emulated: 'qemu-system-x86_64', 'user-mode': undefined }[
    kernel.processor ?? kernel.boots
  ];
  if (!existsSync(runner)) return `needs the runner of virtual machines, ${runner} (RUN_ON_KERNEL names another)`;
  if (process.getuid?.() !== 0) return 'needs root';
  try {
    const cpio = await directoryOf('cpio');
    const programs = ['dpkg-deb', 'mke2fs', 'debootstrap', ...(emulator === undefined ? [] : [emulator])];
    for (const program of programs)
      if ((await execa('which', [program], { reject: false })).failed) return `${program} is not on the PATH`;
    const { kernel: file, besides, description } = await downloadKernel(kernel);
    const libc = kernel.boots === 'user-mode' && besides.length > 0 ? await libcFrom(besides) : [];
    const checks = guestChecks({ ...choice, processor: kernel.processor });
    const out = join(project, 'results', 'kernels', kernel.name);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const path = [process.env.PATH, cpio].filter((each) => each !== undefined).join(':');
    const guest = [
      '--out',
      out,
      '--log',
      join(out, 'kernel.log'),
      '--timeout',
      String(timeLimit(kernel, checks)),
      ...libc,
    ];
    const ended = await execa('bash', [runner, ...guest, file, '--', guestCommand(checks)], {
      cwd: project,
      env: { PATH: path },
      reject: false,
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'pipe',
    });
    return report({ kernel, description, out, checks }, ended.stderr);
  } catch (error) {
    if (error instanceof PackageMissing) return error.message;
    throw error;
  }
}

/** Prints what came of each check, and resolves with it. `errors`: of the runner, if the guest ended before its time. */
function report(
  {
    kernel,
    description,
    out,
    checks,
  }: { kernel: DebianKernel; description: string; out: string; checks: readonly GuestCheck[] },
  errors: string,
): KernelResult {
  const results = readResults(out, checks);
  for (const { name, outcome, summary } of results) {
    write(`  ${outcome}: ${name}: ${summary}`);
    const log = join(out, `${name}.log`);
    if (outcome === 'failed') write(readFileSync(log, 'utf8').trim().split('\n').slice(-40).join('\n'));
  }
  if (results.some(({ outcome }) => outcome === 'not run')) write(errors.trim());
  const release = existsSync(join(out, 'release')) ? readFileSync(join(out, 'release'), 'utf8').trim() : 'did not boot';
  const date = new Date().toISOString().slice(0, 10);
  return { kernel: kernel.name, boots: kernel.boots, package: description, release, date, checks: [...results] };
}

/** The C library that a user-mode kernel of a later release needs. */
async function libcFrom(packages: readonly string[]): Promise<readonly string[]> {
  const libraries = join(await unpack(packages), 'usr/lib/x86_64-linux-gnu');
  return ['--libc', libraries];
}

/** Seconds. An emulated second takes ten, or more on a busy machine. */
function timeLimit({ boots }: DebianKernel, checks: readonly GuestCheck[]): number {
  const inGuest = checks.reduce((sum, { limit }) => sum + limit, 60);
  return boots === 'user-mode' ? inGuest : 15 * inGuest;
}

function refuse(problem: string): number {
  process.stderr.write(`kernels: ${problem}\n\n${usage}`);
  return 2;
}

process.exitCode = await main();
