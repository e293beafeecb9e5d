import { execa } from 'execa';
import { type Program, streamed } from '../../fakes/program.ts';
import type { NodeDifferences } from './conditions/condition.ts';

/**
 * A process with the name of the kubelet, by which an agent finds the mount namespace of the node. The fake kubelet itself runs in the
 * supervisor, which visits the namespaces of containers.
 */
export class KubeletProcess {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #kind: NodeDifferences['kubeletProcess'];
  #process: Omit<Program, 'stdout' | 'stderr'> | undefined;

  constructor(environment: Readonly<Record<string, string>>, kind: NodeDifferences['kubeletProcess']) {
    this.#environment = environment;
    this.#kind = kind;
    this.#process = this.#start();
  }

  /** Ends it and starts another, with another pid. */
  async restart(): Promise<void> {
    if (this.#process) {
      this.#process.kill('SIGKILL');
      await this.#process;
    }
    this.#process = this.#start();
  }

  #start(): Omit<Program, 'stdout' | 'stderr'> | undefined {
    if (this.#kind === 'none') return undefined;
    const script = 'printf kubelet >/proc/$$/comm; while :; do sleep 3600 & wait $!; done';
    // Mounts below the kubelet's directory are shared with the node, as they are if it runs in a container.
    const own = this.#kind === 'own-namespace' ? ['unshare', '--mount', '--propagation=unchanged'] : [];
    const [file = '', ...args] = [...own, '/bin/sh', '-c', script];
    // Without pipes, which its last child would keep open.
    const output = { stdout: 'ignore', stderr: 'ignore' } as const;
    return execa(file, args, { ...streamed, ...output, env: this.#environment, cwd: '/' });
  }
}
