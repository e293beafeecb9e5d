import { fileURLToPath } from 'node:url';
import { onJsonLine } from '../lines.ts';
import { exitOf, startProgram } from '../program.ts';
import type { EventLine } from './stage.ts';

const keeperScript = fileURLToPath(new URL('../../recovery/keeper/main.ts', import.meta.url));

/** A keeper from its sources. */
export class StagedKeeper {
  readonly lines: EventLine[] = [];
  readonly #child;
  readonly #ended;
  #wake = Promise.withResolvers<void>();

  /** `enter`: a command that starts another one, which is the keeper. */
  constructor(directory: string, deadline: string, enter: readonly string[] = []) {
    const [program = '', ...more] = [...enter, process.execPath, keeperScript];
    const command = [program, ...more, `--directory=${directory}`, `--deadline=${deadline}`] as const;
    this.#child = startProgram(command, { env: {}, cwd: '/' });
    this.#ended = exitOf(this.#child);
    this.#child.stderr.pipe(process.stderr);
    onJsonLine(this.#child.stdout, (line) => {
      this.lines.push(line);
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with the n-th line of an event. */
  async line(event: string, n = 1): Promise<EventLine> {
    for (;;) {
      const found = this.lines.filter((line) => line.event === event)[n - 1];
      if (found !== undefined) return found;
      await this.#wake.promise;
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
