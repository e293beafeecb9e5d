import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const checkNames = ['doctor', 'crash', 'comparisons', 'scenarios', 'documented', 'standby'] as const;

/** What is checked on a kernel. */
export interface GuestCheck {
  readonly name: (typeof checkNames)[number];
  /** Of `rekindle`; `$OUT` is a directory that is brought back. */
  readonly arguments: string;
  /** Seconds of the guest's clock. */
  readonly limit: number;
  /** The part of the output that says what came of it. */
  readonly summary: RegExp;
}

/** A crash, a crash of two datasets, and a subdirectory: by a daemon that only reads. */
const threeScenarios =
  '--tags "@documented and @C3 and not @A1 and not @needs:quick-restarts" features/5-crash-and-recovery.feature';

/** All checks. `histories`: those that are compared with the modelled kernel. */
export function guestChecks(histories: number, processor?: 'arm64'): readonly GuestCheck[] {
  const comparisons = `simulate --against-kernel --seeds ${histories} --steps 40 --jobs 1`;
  const scenarios = (name: 'scenarios' | 'documented' | 'standby', chosen: string): GuestCheck => ({
    ...{ name, arguments: `conform --out "$OUT/${name}" ${chosen}`, limit: 1500 },
    summary: /^\d+ scenarios: .*$/m,
  });
  return [
    { name: 'doctor', arguments: 'doctor', limit: 120, summary: /(?<=kernel +)\d.*/ },
    { name: 'crash', arguments: 'crash --out "$OUT"', limit: 300, summary: /(?<=mount table of node and pod: ).*/ },
    ...(processor === 'arm64'
      ? [scenarios('scenarios', `--jobs 1 ${threeScenarios}`)]
      : [
          {
            ...({ name: 'comparisons', arguments: comparisons, limit: 1200 } as const),
            summary: /^\d+ comparisons .* steps in .*/m,
          },
        ]),
    scenarios('documented', '--jobs 1'),
    scenarios('standby', '--jobs 1 features/11-standby.feature'),
  ];
}

/**
 * A shell command that makes the checks one after another, and leaves `<name>.log`, `<name>.status` and `release` in `$OUT`. Waits are
 * longer than elsewhere, because the guest has one slow processor; what is judged has the bounds that it always has.
 */
export function guestCommand(checks: readonly GuestCheck[]): string {
  return [
    'export PATH="$PWD/node_modules/.bin:$PATH" REKINDLE_TIMEOUT_MULTIPLIER=6',
    'uname -r >"$OUT/release"',
    'check() {',
    '  local name=$1 limit=$2 began=$SECONDS status; shift 2',
    '  timeout --kill-after=10 "$limit" node bin/rekindle.js "$@" >"$OUT/$name.log" 2>&1; status=$?',
    '  echo "$status $((SECONDS - began))" >"$OUT/$name.status"',
    '  echo "  $name: status $status after $((SECONDS - began)) s"',
    '}',
    ...checks.map(({ name, limit, arguments: words }) => `check ${name} ${limit} ${words}`),
  ].join('\n');
}

export const checkResult = z.strictObject({
  name: z.string(),
  /** `not run`: the guest ended before. */
  outcome: z.enum(['passed', 'failed', 'not run']),
  seconds: z.number().optional(),
  summary: z.string(),
});

export type GuestResult = z.infer<typeof checkResult>;

/** Reads the `<name>.log` and `<name>.status` that were left. */
export function readResults(
  directory: string,
  checks: readonly { readonly name: string; readonly summary: RegExp }[],
): readonly GuestResult[] {
  const read = (file: string) => {
    const path = join(directory, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  return checks.map(({ name, summary }) => {
    const [status, seconds] = read(`${name}.status`).trim().split(' ');
    const log = read(`${name}.log`);
    const lastLine = log.trim().split('\n').at(-1) ?? '';
    if (!status) return { name, outcome: 'not run', summary: lastLine };
    return {
      name,
      outcome: status === '0' ? 'passed' : 'failed',
      seconds: Number(seconds),
      summary: summary.exec(log)?.[0] ?? lastLine,
    };
  });
}
