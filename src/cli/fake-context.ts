import type { TextStream } from '../environment.ts';
import { newRunId } from '../run-id.ts';
import type { BenchOptions, ConformOptions, CrashOptions, CrashPodOptions, RunOptions, RunOutcome } from '../verbs.ts';
import type { Context } from './context.ts';

/** What a test sees of a command line that ran in its own process. */
export interface FakeContext {
  readonly context: Context;
  /** Options that the verbs were called with, in order. */
  readonly conformed: ConformOptions[];
  readonly crashed: CrashOptions[];
  readonly crashedPods: CrashPodOptions[];
  readonly benched: BenchOptions[];
  /** All that was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export interface FakeContextOptions extends Partial<Omit<Context, 'environment' | 'loadVerbs'>> {
  /** Folder that stands for cwd and for temporary files. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The outcome of all verbs. */
  readonly verb?: (options: RunOptions) => Promise<RunOutcome>;
  readonly stdin?: Context['environment']['stdin'];
}

/** A context for tests: verbs that only note what they are asked, streams in memory, a machine that lacks nothing. */
export function createFakeContext({ cwd, env, signal, verb, stdin, ...others }: FakeContextOptions): FakeContext {
  const [stdout, stderr] = [createSink(), createSink()];
  const conformed: ConformOptions[] = [];
  const crashed: CrashOptions[] = [];
  const crashedPods: CrashPodOptions[] = [];
  const benched: BenchOptions[] = [];
  const come = verb ?? (async () => ({ verdict: 'pass', leftovers: [], resultsDir: '' }) as const);
  const noting =
    <Options extends RunOptions>(all: Options[]) =>
    (options: Options) => {
      all.push(options);
      return come(options);
    };
  const context: Context = {
    environment: {
      cwd,
      stdout: stdout.stream,
      stderr: stderr.stream,
      ...(stdin && { stdin }),
      // No Docker: a test must not meet the containers of this machine.
      env: { TMPDIR: cwd, DOCKER_HOST: 'unix:///nowhere', PATH: process.env.PATH, ...env },
      signal: signal ?? new AbortController().signal,
    },
    runId: newRunId(new Date(), Math.random),
    version: '1.2.3',
    random: () => 0.5,
    pid: process.pid,
    uid: process.geteuid?.() ?? 0,
    loadVerbs: async () => ({
      conform: noting(conformed),
      crash: noting(crashed),
      crashPod: noting(crashedPods),
      bench: noting(benched),
    }),
    requirements: async () => [],
    forced: new Promise(() => undefined),
    ...others,
  };
  return { context, conformed, crashed, crashedPods, benched, stdout: stdout.text, stderr: stderr.text };
}

function createSink(): { readonly stream: TextStream; readonly text: () => string } {
  const texts: string[] = [];
  return { stream: { write: (text) => texts.push(text) }, text: () => texts.join('') };
}
