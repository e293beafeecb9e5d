import { createWriteStream } from 'node:fs';
import { execa } from 'execa';
import { onLines, parseLine } from '../../fakes/lines.ts';
import { type Exit, exitOf, type Program, streamed } from '../../fakes/program.ts';

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
  readonly process: Program;
  /** Resolves with that line. Rejects with the last errors of a process that ends before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  /** Aborted when it has ended. */
  readonly ended: AbortSignal;
  readonly exited: Promise<Exit>;
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
  // The child's standard input ends with this process, so a child that watches it notices the end.
  const child = execa(file, args, { ...streamed, stdin: 'pipe', env: environment });
  child.stdin.on('error', () => {}); // `exited` reports the end.
  return followServing(child, options);
}

/** Follows a process that was started otherwise. */
export function followServing(child: Program, { name, logFile, onLine }: ServingOptions): ServingProcess {
  const log = createWriteStream(logFile, { flags: 'a' });
  const ready = Promise.withResolvers<Readonly<Record<string, unknown>>>();
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
  const exited = exitOf(child).then(async (exit) => {
    // The message is about a program that could not be started.
    const { exitCode, originalMessage } = await child;
    const reason = exit.signal ?? (exitCode === undefined ? originalMessage : `exit status ${exitCode}`);
    const output = errors.trim() || 'it printed no error';
    ready.reject(new Error(`the ${name} ended before it was ready (${reason}): ${output}`));
    log.end();
    ended.abort();
    return exit;
  });
  ready.promise.catch(() => {}); // Reported to callers that await it.
  return { process: child, ready: ready.promise, ended: ended.signal, exited };
}
