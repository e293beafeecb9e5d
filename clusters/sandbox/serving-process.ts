import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { onLines, parseLine } from '../../fakes/lines.ts';

interface ServingOptions {
  /** For messages: `control plane`, `agent`. */
  readonly name: string;
  /** Receives the process's output. */
  readonly logFile: string;
  /** Receives each line of structured output. */
  readonly onLine?: (line: Readonly<Record<string, unknown>>) => void;
}

/** A part of the sandbox in a separate process, which prints `{"event":"ready"}` when it serves. */
export interface ServingProcess {
  readonly process: ChildProcess;
  /** Resolves with that line. Rejects with the last errors of a process that ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  /** Aborted when it has ended. */
  readonly ended: AbortSignal;
  readonly exited: Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function startServing({
  argv,
  environment,
  ...options
}: ServingOptions & {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}): ServingProcess {
  const [file = '', ...args] = argv;
  // Not execa, whose import would slow the start of every sandbox. The child's standard input ends with this process, so a child
  // that watches it notices the end.
  const child = spawn(file, args, { env: { ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {}); // `exited` reports the end.
  return followServing(child, options);
}

/** Follows a process that was started otherwise. */
export function followServing(
  child: ChildProcess & { readonly stdout: Readable; readonly stderr: Readable },
  { name, logFile, onLine }: ServingOptions,
): ServingProcess {
  const log = createWriteStream(logFile, { flags: 'a' });
  const ready = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  const exited = Promise.withResolvers<{ exitCode: number | null; signal: NodeJS.Signals | null }>();
  let errors = '';
  onLines(child.stdout, (text) => {
    log.write(`${text}\n`);
    const line = parseLine(text);
    if (!line) return;
    if (line.event === 'ready') ready.resolve(line);
    onLine?.(line);
  });
  onLines(child.stderr, (text) => {
    log.write(`${text}\n`);
    errors = `${errors}${text}\n`.slice(-2000);
  });
  const ended = new AbortController();
  const end = (exitCode: number | null, signal: NodeJS.Signals | null, reason: string): void => {
    exited.resolve({ exitCode, signal });
    const output = errors.trim() || 'it printed no error';
    ready.reject(new Error(`the ${name} ended before it was ready (${reason}): ${output}`));
    log.end();
    ended.abort();
  };
  child.on('error', (error) => end(null, null, error.message));
  child.on('close', (exitCode, signal) => end(exitCode, signal, signal ?? `exit status ${exitCode}`));
  ready.promise.catch(() => {}); // Reported to callers that await it.
  return { process: child, ready: ready.promise, ended: ended.signal, exited: exited.promise };
}
