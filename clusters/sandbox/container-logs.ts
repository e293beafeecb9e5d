import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';

/** A log file for each container: `<namespace>_<pod>_<container>.log`, which grows over restarts. */
export class ContainerLogs {
  readonly #folder: string;
  readonly #files = new Map<string, WriteStream>();

  /** `folder`: exists. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `container`: `<namespace>/<pod>/<container>`. */
  write(container: string, chunk: string): void {
    const file = join(this.#folder, `${container.replaceAll('/', '_')}.log`);
    const log = this.#files.get(file) ?? createWriteStream(file, { flags: 'a' });
    this.#files.set(file, log);
    log.write(chunk);
  }
}
