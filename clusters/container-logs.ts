import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** Writes the output of each container to a separate file in `logs/`, which grows over restarts. */
export class ContainerLogs implements AsyncDisposable {
  readonly #folder: string;
  readonly #files = new Map<string, WriteStream>();

  constructor(resultsDir: string) {
    this.#folder = join(resultsDir, 'logs');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** `container`: `<namespace>/<pod>/<container>`. */
  write(container: string, text: string): void {
    const path = join(this.#folder, `${container.replaceAll('/', '_')}.log`);
    const file = this.#files.get(path) ?? createWriteStream(path, { flags: 'a' });
    this.#files.set(path, file);
    file.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => new Promise<void>((resolve) => file.end(resolve))));
  }
}
