import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A process with the name of the kubelet, by which an agent finds the mount namespace of the node. The fake kubelet itself runs in the
 * supervisor, which visits the namespaces of containers.
 */
export class KubeletProcess {
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
    this.#process = this.#start();
  }

  /** Ends it and starts another, with another pid. */
  async restart(): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    this.#process = this.#start();
  }

  #start(): ChildProcess {
    const script = 'printf kubelet >/proc/$$/comm; while :; do sleep 3600 & wait $!; done';
    return spawn('/bin/sh', ['-c', script], { env: { ...this.#environment }, stdio: 'ignore' });
  }
}
