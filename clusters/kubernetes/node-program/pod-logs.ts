import { closeSync, openSync, readdirSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';
import { lineSplitter } from '../../../fakes/lines.ts';

/** One start of a container. */
export interface LoggedContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** 0 for the first start. */
  readonly restart: number;
}

export interface PodLogsOptions {
  /** `/var/log/pods` of the kubelet. */
  readonly directory: string;
  readonly wants: (pod: { readonly namespace: string; readonly pod: string }) => boolean;
  /** The runtime has created the container's log, just before it starts the container. */
  readonly onContainer: (container: LoggedContainer) => void;
  readonly onLine: (container: LoggedContainer, line: CriLine) => void;
}

/**
 * Follows the logs of pods, `<namespace>_<pod>_<uid>/<container>/<restart>.log`, from their beginning. Woken by the kernel (inotify) if
 * possible.
 */
export class PodLogs implements Disposable {
  readonly #options: PodLogsOptions;
  readonly #watched = new Map<string, { close(): void }>();
  readonly #tails = new Map<string, () => void>();

  constructor(options: PodLogsOptions) {
    this.#options = options;
    this.#enter(options.directory, () => this.#findPods());
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Scans a directory now and after each change, until it is gone. */
  #enter(directory: string, scan: () => void): void {
    if (this.#watched.has(directory)) return;
    this.#watched.set(directory, watchOrPoll(directory, scan));
    scan();
  }

  #leave(directory: string): void {
    for (const [path, watcher] of this.#watched) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const path of this.#tails.keys()) if (path.startsWith(`${directory}/`)) this.#tails.delete(path);
  }

  #findPods(): void {
    const { directory, wants } = this.#options;
    const names = listDirectory(directory) ?? [];
    for (const name of names) {
      const [namespace = '', pod = '', uid = ''] = name.split('_');
      if (!wants({ namespace, pod })) continue;
      this.#enter(join(directory, name), () => this.#findContainers({ namespace, pod, uid }, join(directory, name)));
    }
  }

  #findContainers(pod: Pick<LoggedContainer, 'namespace' | 'pod' | 'uid'>, directory: string): void {
    const names = listDirectory(directory);
    if (!names) this.#leave(directory);
    for (const container of names ?? [])
      this.#enter(join(directory, container), () => this.#read({ ...pod, container }, join(directory, container)));
  }

  #read(container: Omit<LoggedContainer, 'restart'>, directory: string): void {
    const names = listDirectory(directory);
    if (!names) this.#leave(directory);
    const logs = (names ?? [])
      .filter((name) => /^\d+\.log$/.test(name))
      .sort((a, b) => restartNumber(a) - restartNumber(b));
    for (const [index, name] of logs.entries()) {
      const path = join(directory, name);
      let readNew = this.#tails.get(path);
      if (!readNew) {
        const start = { ...container, restart: restartNumber(name) };
        const lines = createCriReader();
        readNew = createTail(path, (text) => {
          for (const line of lines(text)) this.#options.onLine(start, line);
        });
        this.#tails.set(path, readNew);
        // Earlier starts have ended.
        if (index === logs.length - 1) this.#options.onContainer(start);
      }
      readNew();
    }
  }
}

const restartNumber = (log: string) => Number.parseInt(log, 10);

const pollMs = 50;

/** Calls back when a directory or file changes, or periodically if the kernel's inotify watches are exhausted. */
function watchOrPoll(path: string, scan: () => void): { close(): void } {
  const poll = () => {
    const timer = setInterval(scan, pollMs);
    return { close: () => clearInterval(timer) };
  };
  try {
    let current: { close(): void };
    const watcher = watch(path, { persistent: false }, scan);
    current = watcher;
    watcher.on('error', () => {
      watcher.close();
      current = poll();
    });
    return { close: () => current.close() };
  } catch {
    return poll();
  }
}

/** Reads what was appended since the last call, or from the beginning if the file was truncated. */
function createTail(path: string, onText: (text: string) => void): () => void {
  const buffer = Buffer.alloc(64 << 10);
  const decoder = new TextDecoder();
  let offset = 0;
  return () => {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'r');
    } catch {
      return;
    }
    try {
      let count = readSync(descriptor, buffer, 0, buffer.length, offset);
      if (count === 0 && offset > 0 && readSync(descriptor, buffer, 0, 1, offset - 1) === 0) {
        offset = 0;
        count = readSync(descriptor, buffer, 0, buffer.length, 0);
      }
      for (; count > 0; count = readSync(descriptor, buffer, 0, buffer.length, offset)) {
        offset += count;
        onText(decoder.decode(buffer.subarray(0, count), { stream: true }));
      }
    } finally {
      closeSync(descriptor);
    }
  };
}

/** Undefined if the directory is gone. */
function listDirectory(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

export interface CriLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/**
 * Parses a container runtime's log: `<RFC 3339 time> stdout F <text>`. P instead of F marks a partial line that continues in the next
 * one. Returns whole lines, and keeps incomplete ones for the next call.
 */
export function createCriReader(): (chunk: string) => CriLine[] {
  const split = lineSplitter();
  const parts = { stdout: '', stderr: '' };
  return (chunk) =>
    split(chunk).flatMap((line) => {
      const [, stream, tag, text = ''] = /^\S+ (stdout|stderr) ([FP])\S* ?(.*)$/s.exec(line) ?? [];
      if (stream !== 'stdout' && stream !== 'stderr') return [];
      const whole = parts[stream] + text;
      parts[stream] = tag === 'P' ? whole : '';
      return tag === 'P' ? [] : [{ stream, text: whole }];
    });
}
