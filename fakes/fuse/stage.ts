import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { onJsonLine } from '../lines.ts';
import { type Exit, exitOf, startProgram } from '../program.ts';
import type { Store } from '../store/start-store.ts';
import type { Behaviour } from './behaviour.ts';
import type { DaemonProgram } from './bundle.ts';

export type EventLine = Readonly<Record<string, unknown>>;

export interface StagedDaemon {
  readonly process: { readonly pid?: number | undefined };
  readonly lines: readonly EventLine[];
  /** Resolves with exit code and signal after all output has been read. */
  readonly ended: Promise<Exit>;
  readonly errorOutput: () => string;
  /** Resolves with the first line of an event. */
  line(event: string): Promise<EventLine>;
  kill(signal: NodeJS.Signals): Promise<Exit>;
}

export interface DaemonStageOptions {
  readonly store: Store;
  readonly program: DaemonProgram;
  /** In a user namespace of user 1000, with a world-writable /dev/fuse, as on common distributions. */
  readonly rootless?: boolean;
}

type Holder = ReturnType<typeof startHolder>;

/** A shell in a mount namespace of its own, until its standard input ends. */
const startHolder = (script: string, directory: string) =>
  execa('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    buffer: false,
    reject: false,
  });

const someUser = 1000;
const becomeSomeUser = ['/usr/bin/setpriv', `--reuid=${someUser}`, `--regid=${someUser}`, '--clear-groups'];

/**
 * A mount namespace for a test of the daemon, held by a shell; its mounts are removed with it. Needs root, util-linux and /dev/fuse. The
 * processes in it are children of the test and are ended with the stage.
 */
export class DaemonStage implements AsyncDisposable {
  readonly directory: string;
  readonly credentials: string;
  readonly mountpoint: string;
  readonly #options: DaemonStageOptions;
  readonly #holder: Holder;
  readonly #daemons: StagedDaemon[] = [];

  private constructor(directory: string, options: DaemonStageOptions, holder: Holder) {
    this.directory = directory;
    this.credentials = join(directory, 'secrets');
    this.mountpoint = join(directory, 'jfs/jindofs-fuse');
    this.#options = options;
    this.#holder = holder;
  }

  static async open(options: DaemonStageOptions): Promise<DaemonStage> {
    const directory = await mkdtemp(join(tmpdir(), 'rekindle-fuse-'));
    const hold = 'echo held; read -r _';
    const rootless =
      'mknod "$0/fuse" c 10 229 && chmod 666 "$0/fuse" && mount --bind "$0/fuse" /dev/fuse && ' +
      `exec ${becomeSomeUser.join(' ')} unshare --user --map-root-user --mount sh -c '${hold}'`;
    const script = options.rootless ? rootless : hold;
    const holder = startHolder(script, directory);
    await once(holder.stdout, 'data');
    const stage = new DaemonStage(directory, options, holder);
    await mkdir(stage.credentials);
    await stage.writeCredentials(options.store.accessKeySecret);
    await chmod(directory, 0o755);
    if (options.rootless) await chown(directory, someUser, someUser);
    return stage;
  }

  async writeCredentials(accessKeySecret: string): Promise<void> {
    await writeFile(join(this.credentials, 'accessKeyId'), this.#options.store.accessKeyId);
    await writeFile(join(this.credentials, 'accessKeySecret'), `${accessKeySecret}\n`);
  }

  start(behaviour?: Behaviour, more: readonly string[] = []): StagedDaemon {
    const { store, program } = this.#options;
    const flags = [
      `--mountpoint=${this.mountpoint}`,
      `--endpoint=${store.endpoint}`,
      `--bucket=${store.bucket}`,
      '--prefix=dir/',
      `--credentials=${this.credentials}`,
      ...(behaviour === undefined ? [] : [`--behaviour=${JSON.stringify(behaviour)}`]),
    ];
    // Without PATH: the daemon starts no other program.
    const [enter = '', ...entering] = this.enterCommand();
    const command = [enter, ...entering, ...program.command, ...flags, ...more];
    const child = startProgram(command, { env: {}, cwd: '/' });
    const lines: EventLine[] = [];
    const waiting: (() => void)[] = [];
    let errorOutput = '';
    const wakeAll = (): void => {
      for (const wake of waiting.splice(0)) wake();
    };
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      errorOutput += chunk;
    });
    onJsonLine(child.stdout, (line) => {
      lines.push(line);
      wakeAll();
    });
    let hasEnded = false;
    const ended = exitOf(child).finally(() => {
      hasEnded = true;
      wakeAll();
    });
    const daemon: StagedDaemon = {
      process: child,
      lines,
      ended,
      errorOutput: () => errorOutput,
      line: async (event) => {
        for (;;) {
          const found = lines.find((line) => line.event === event);
          if (found !== undefined) return found;
          if (hasEnded) throw new Error(`no ${event}: ${errorOutput}`);
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      },
      kill: (signal) => {
        child.kill(signal);
        return ended;
      },
    };
    this.#daemons.push(daemon);
    return daemon;
  }

  /** Runs a shell command in the mount namespace, with the mount point as `$M` and Node as `$NODE`; in a child process, because the mount may be dead. */
  async inside(command: string, timeout = 20_000): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const [enter = '', ...entering] = this.enterCommand();
    const { exitCode, stdout, stderr } = await execa(enter, [...entering, 'sh', '-c', command], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', M: this.mountpoint, NODE: process.execPath },
      extendEnv: false,
      reject: false,
      stripFinalNewline: false,
      timeout,
    });
    return { code: exitCode ?? null, stdout, stderr };
  }

  /**
   * Reads a file with Node and returns its contents, or the name of the errno. Not with `readFileSync(path, 'utf8')`, which ends the process
   * if close(2) fails, as it does on a mount that has died meanwhile.
   */
  async read(name: string): Promise<string> {
    const script = `try{console.log(String(require('fs').readFileSync(process.argv[1])))}catch(e){console.log(e.code)}`;
    const { stdout } = await this.inside(`exec "$NODE" -e "${script}" "$M/${name}"`);
    return stdout.trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill('SIGKILL');
    this.#holder.stdin.end();
    await this.#holder;
    await rm(this.directory, { recursive: true });
  }

  /** The command prefix that enters the namespaces. */
  enterCommand(): readonly string[] {
    const enter = ['/usr/bin/nsenter', '--mount', `--target=${this.#holder.pid}`];
    if (!this.#options.rootless) return enter;
    return [...becomeSomeUser, ...enter, '--user', '--preserve-credentials'];
  }
}
