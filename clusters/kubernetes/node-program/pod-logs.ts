import { closeSync, openSync, readdirSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';

/** A container as it was started for the so manieth time. */
export interface LoggedContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly container: string;
  /** 0 at first. */
  readonly restart: number;
}

export interface PodLogsOptions {
  /** The kubelet's, `/var/log/pods`. */
  readonly directory: string;
  readonly wants: (pod: { readonly namespace: string; readonly pod: string }) => boolean;
  /** The runtime has made its log, right before it starts it. */
  readonly onContainer: (container: LoggedContainer) => void;
  readonly onLine: (container: LoggedContainer, line: CriLine) => void;
}

/**
 * Follows the logs of pods as they are written: `<namespace>_<pod>_<uid>/<container>/<restart>.log`. What is there already comes
 * first. Woken by the kernel (inotify) where it can be, so that nothing is asked for in between.
 */
export class PodLogs implements Disposable {
  readonly #options: PodLogsOptions;
  readonly #watched = new Map<string, { close(): void }>();
  readonly #files = new Map<string, { readonly of: LoggedContainer; readonly read: () => void }>();

  constructor(options: PodLogsOptions) {
    this.#options = options;
    this.#enter(options.directory, () => this.#findPods());
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  /** Looks into a directory now and whenever something in it changes, until it is gone. */
  #enter(directory: string, look: () => void): void {
    if (this.#watched.has(directory)) return;
    this.#watched.set(directory, watchOrPoll(directory, look));
    look();
  }

  #leave(directory: string): void {
    for (const [path, watcher] of this.#watched) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const path of this.#files.keys()) if (path.startsWith(`${directory}/`)) this.#files.delete(path);
  }

  #findPods(): void {
    const { directory, wants } = this.#options;
    const names = entries(directory) ?? [];
    for (const name of names) {
      const [namespace = '', pod = '', uid = ''] = name.split('_');
      if (!wants({ namespace, pod })) continue;
      this.#enter(join(directory, name), () => this.#findContainers({ namespace, pod, uid }, join(directory, name)));
    }
  }

  #findContainers(pod: Pick<LoggedContainer, 'namespace' | 'pod' | 'uid'>, directory: string): void {
    const names = entries(directory);
    if (!names) this.#leave(directory);
    for (const container of names ?? [])
      this.#enter(join(directory, container), () => this.#read({ ...pod, container }, join(directory, container)));
  }

  #read(container: Omit<LoggedContainer, 'restart'>, directory: string): void {
    const names = entries(directory);
    if (!names) this.#leave(directory);
    const logs = (names ?? []).filter((name) => /^\d+\.log$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
    for (const [index, name] of logs.entries()) {
      const path = join(directory, name);
      let file = this.#files.get(path);
      if (!file) {
        const of = { ...container, restart: numberOf(name) };
        file = { of, read: createTail(path, (line) => this.#options.onLine(of, line)) };
        this.#files.set(path, file);
        // The ones before it have ended by now.
        if (index === logs.length - 1) this.#options.onContainer(of);
      }
      file.read();
    }
  }
}

const numberOf = (log: string) => Number.parseInt(log, 10);

const pollMs = 50;

/** Calls back when something in a directory changes; now and then where the kernel has no more watches to give. */
function watchOrPoll(directory: string, look: () => void): { close(): void } {
  const poll = () => {
    const timer = setInterval(look, pollMs);
    return { close: () => clearInterval(timer) };
  };
  try {
    let current: { close(): void };
    const watcher = watch(directory, { persistent: false }, look);
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

/** Reads what has come since the last time; from the beginning where the file was begun anew. */
function createTail(path: string, onLine: (line: CriLine) => void): () => void {
  const lines = createCriReader();
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
        for (const line of lines(decoder.decode(buffer.subarray(0, count), { stream: true }))) onLine(line);
      }
    } finally {
      closeSync(descriptor);
    }
  };
}

/** Undefined where the directory is gone. */
function entries(directory: string): readonly string[] | undefined {
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
 * Reads lines of a container's log as container runtimes write it: `<RFC 3339 time> stdout F <text>`, where P instead of F marks a
 * part of a line whose rest follows. Whole lines come out; what is incomplete is kept for the next time.
 */
export function createCriReader(): (chunk: string) => CriLine[] {
  let rest = '';
  const parts = { stdout: '', stderr: '' };
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    return lines.flatMap((line) => {
      const [, stream, tag, text = ''] = /^\S+ (stdout|stderr) ([FP])\S* ?(.*)$/s.exec(line) ?? [];
      if (stream !== 'stdout' && stream !== 'stderr') return [];
      const whole = parts[stream] + text;
      parts[stream] = tag === 'P' ? whole : '';
      return tag === 'P' ? [] : [{ stream, text: whole }];
    });
  };
}
