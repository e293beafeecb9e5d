import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { onLines, parseLine } from '../node/lines.ts';

export interface ChildOptions {
  /** For messages: `control plane`, `agent`. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Takes all that the child prints. */
  readonly logFile: string;
  /** Takes each line of structured output. */
  readonly onLine: (line: Readonly<Record<string, unknown>>) => void;
}

/** A part of the sandbox in a process of its own that says `{"event":"ready"}` when it serves. */
export interface Child {
  readonly process: ChildProcess;
  /** The line that said so. Rejects with the last words of a child that ended before. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly exited: Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null }>;
}

export function startChild({ name, argv, environment, logFile, onLine }: ChildOptions): Child {
  const [file = '', ...args] = argv;
  // Its standard input ends with this process, which tells a part that watches it that nobody is left.
  const child = spawn(file, args, { env: { ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  const log = createWriteStream(logFile, { flags: 'a' });
  const ready = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  const exited = Promise.withResolvers<{ exitCode: number | null; signal: NodeJS.Signals | null }>();
  let lastWords = '';
  onLines(child.stdout, (text) => {
    log.write(`${text}\n`);
    const line = parseLine(text);
    if (!line) return;
    if (line.event === 'ready') ready.resolve(line);
    onLine(line);
  });
  onLines(child.stderr, (text) => {
    log.write(`${text}\n`);
    lastWords = `${lastWords}${text}\n`.slice(-2000);
  });
  const end = (exitCode: number | null, signal: NodeJS.Signals | null, why: string): void => {
    exited.resolve({ exitCode, signal });
    ready.reject(new Error(`the ${name} ended before it was ready (${why}): ${lastWords.trim() || 'it said nothing'}`));
    log.end();
  };
  child.stdin.on('error', () => {}); // It ended while we were writing: `exited` says so.
  child.on('error', (error) => end(null, null, error.message));
  child.on('close', (exitCode, signal) => end(exitCode, signal, signal ?? `exit status ${exitCode}`));
  ready.promise.catch(() => {}); // Who waits for it hears of it; nobody has to.
  return { process: child, ready: ready.promise, exited: exited.promise };
}
