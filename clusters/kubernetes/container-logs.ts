import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** What containers write, each in a file of its own below `logs/`. */
export class ContainerLogs implements AsyncDisposable {
  readonly #folder: string;
  readonly #open = new Map<string, WriteStream>();

  constructor(resultsDir: string) {
    this.#folder = join(resultsDir, 'logs');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** `container`: `<namespace>/<pod>/<container>`. */
  write(container: string, text: string): void {
    const file = join(this.#folder, `${container.replaceAll('/', '_')}.log`);
    const log = this.#open.get(file) ?? createWriteStream(file, { flags: 'a' });
    this.#open.set(file, log);
    log.write(`${text}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.values()].map((log) => new Promise<void>((resolve) => log.end(resolve))));
  }
}
