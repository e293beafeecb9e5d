import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a stand-in program answers to arguments that begin with some; the first that fits counts. */
export interface Answer {
  readonly to: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Writes this into the file that `KUBECONFIG`, or a flag `--kubeconfig=`, names. */
  readonly kubeConfig?: string;
  /** Goes on until it is ended by a signal, once it has begun. */
  readonly forever?: boolean;
}

/** Programs that record how they were called, in a folder that is the whole PATH of who is tested. */
export class Recorder {
  readonly folder: string;

  /** `folder`: exists; the caller removes it. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** An environment in which no other programs are found. */
  get environment(): Readonly<Record<string, string>> {
    return { PATH: join(this.folder, 'bin'), HOME: this.folder };
  }

  add(program: string, answers: readonly Answer[]): void {
    mkdirSync(join(this.folder, 'bin'), { recursive: true });
    const file = join(this.folder, 'bin', program);
    const data = JSON.stringify({ program, answers, log: this.#log });
    writeFileSync(
      file,
      `#!${process.execPath}\nconst {program,answers,log}=${data};\n(${standIn.toString()})(program,answers,log);\n`,
    );
    chmodSync(file, 0o755);
  }

  /** Each call as one line: `kind create cluster --name=x`. */
  get calls(): readonly string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').split('\n').slice(0, -1) : [];
  }

  get #log(): string {
    return join(this.folder, 'calls.log');
  }
}

/** Runs in a process of its own: nothing of this module is there but its arguments. */
function standIn(program: string, answers: readonly Answer[], log: string): void {
  const { appendFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const args = process.argv.slice(2).join(' ');
  appendFileSync(log, `${program} ${args}\n`);
  const answer = answers.find(({ to }) => args.startsWith(to));
  if (answer === undefined) {
    process.stderr.write(`${program}: nobody expected ${args}\n`);
    process.exit(97);
  }
  const file = /--kubeconfig=(\S+)/.exec(args)?.[1] ?? process.env.KUBECONFIG;
  if (answer.kubeConfig !== undefined && file !== undefined) writeFileSync(file, answer.kubeConfig);
  process.stdout.write(answer.stdout ?? '');
  process.stderr.write(answer.stderr ?? '');
  if (answer.forever) setInterval(() => {}, 1000);
  else process.exitCode = answer.exitCode ?? 0;
}
