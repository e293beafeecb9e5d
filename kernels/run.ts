/** Boots other kernels and runs Rekindle on each (`make kernels`). */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { verbArguments } from '../house/verb-arguments.ts';
import { type DebianKernel, kernels, kernelsForCommit } from './catalogue.ts';
import { checkNames, type GuestCheck, guestChecks, guestCommand, readResults } from './guest.ts';
import { directoryOf, downloadKernel, PackageMissing, unpack } from './packages.ts';
import { type KernelResult, recordResult } from './results.ts';

const usage = `Usage: make kernels ARGS="[--only TEXT]... [--commit HASH] [--check NAME]... [--brief] [--record] [--list]"

Boots the kernels of Debian's releases, and runs on each: rekindle doctor, rekindle crash, and 200 histories of rekindle simulate
--against-kernel; on user-mode Linux also the documented scenarios and those of a standby. The packages are downloaded by apt, which has its own configuration here.

  --only TEXT    the kernel of this name, or those whose name contains the text; may be repeated
  --commit HASH  one user-mode kernel, chosen by the commit; the next one if it does not boot on this processor
  --check NAME   this check only; may be repeated: ${checkNames.join(', ')}. Emulated, "documented"
                 takes half an hour
  --brief        40 histories and no documented scenarios
  --record       keep the results in kernels/results.json, from which "npm run docs" makes docs/reference/kernels.md; those of
                 other checks on the same kernel stay
  --list         list the kernels, and boot none

On arm64 ("make arm64") three scenarios are run instead of the histories.

The environment variable RUN_ON_KERNEL names the script that boots a kernel, by default ../shared/machine/run-on-kernel.sh.

Exit status: 0 all passed; 1 a check failed; 2 usage; 3 no kernel could be booted.
`;

const project = fileURLToPath(new URL('..', import.meta.url));
const { RUN_ON_KERNEL = join(project, '../shared/machine/run-on-kernel.sh') } = process.env;
const arm64Runner = join(project, 'kernels/run-on-arm64.sh');
const write = (text: string) => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const { values, refuse } = verbArguments('kernels', usage, {
    only: { type: 'string', multiple: true },
    commit: { type: 'string' },
    check: { type: 'string', multiple: true },
    brief: { type: 'boolean' },
    record: { type: 'boolean' },
    list: { type: 'boolean' },
  });
  const { commit, only = [''] } = values;
  const names = kernels.map(({ name }) => name);
  const chosen =
    commit === undefined
      ? kernels.filter(({ name }) => only.some((text) => (names.includes(text) ? name === text : name.includes(text))))
      : kernelsForCommit(commit);
  if (values.list) {
    write(chosen.map(({ name, boots, suites }) => `${name}\t${boots}\t${suites.join(', ')}`).join('\n'));
    return 0;
  }
  if (chosen.length === 0) return refuse(`no kernel is called ${only.join(' or ')}: --list shows all`);
  const unknown = values.check?.find((name) => !checkNames.some((known) => known === name));
  if (unknown !== undefined) return refuse(`no check is called ${unknown}: there are ${checkNames.join(', ')}`);

  const results: KernelResult[] = [];
  const skips: string[] = [];
  for (const kernel of chosen) {
    if (commit !== undefined && results.length > 0) break;
    write(`${kernel.name} (${kernel.boots})`);
    const takesLong = ({ name }: GuestCheck) => name === 'documented' || name === 'standby';
    const checks = guestChecks(values.brief ? 40 : 200, kernel.processor).filter((check) =>
      values.check === undefined
        ? !takesLong(check) || (kernel.boots === 'user-mode' && !values.brief)
        : values.check.includes(check.name),
    );
    const result = await tryKernel(kernel, checks);
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
async function tryKernel(kernel: DebianKernel, checks: readonly GuestCheck[]): Promise<KernelResult | string> {
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
    const path = [process.env.PATH, cpio].filter((each) => each !== undefined).join(':');
    if (kernel.boots === 'user-mode' && !(await doesBoot(runner, [...libc, file], path)))
      return `${description} does not boot on this machine's processor`;
    const out = join(project, 'results', 'kernels', kernel.name);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
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
  const dated = results.map((result) => ({ ...result, date }));
  return { kernel: kernel.name, boots: kernel.boots, package: description, release, checks: dated };
}

/** A user-mode kernel that is older than the processor may not know the size of its registers, and ends before its first program. */
async function doesBoot(runner: string, kernel: readonly string[], path: string): Promise<boolean> {
  const nothing = mkdtempSync(join(tmpdir(), 'rekindle-kernel-'));
  const options = { env: { PATH: path }, reject: false, stdin: 'ignore' } as const;
  const { exitCode, stderr } = await execa(
    'bash',
    [runner, '--tree', nothing, '--timeout', '60', ...kernel, '--', 'true'],
    options,
  );
  rmSync(nothing, { recursive: true });
  // Any other failure is shown by the checks.
  return exitCode === 0 || !stderr.includes('the guest ended without an answer');
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

process.exitCode = await main();
