import { type Program, startProgram } from '../../fakes/program.ts';
import type { NodeDifferences } from './conditions/condition.ts';

/**
 * A process with the name of the kubelet, by which an agent finds the mount namespace of the node. The fake kubelet itself runs in the
 * supervisor, which visits the namespaces of containers.
 */
export class KubeletProcess {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #kind: NodeDifferences['kubeletProcess'];
  #process: Program | undefined;

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

  #start(): Program | undefined {
    if (this.#kind === 'none') return undefined;
    const script = 'printf kubelet >/proc/$$/comm; while :; do sleep 3600 & wait $!; done';
    // Mounts below the kubelet's directory are shared with the node, as they are if it runs in a container.
    const own = this.#kind === 'own-namespace' ? ['unshare', '--mount', '--propagation=unchanged'] : [];
    return startProgram([...own, '/bin/sh', '-c', script], { env: this.#environment, cwd: '/' });
  }
}
