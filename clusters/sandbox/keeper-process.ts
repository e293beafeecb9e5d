import { type RuntimeOptions, startContainer } from '../../fakes/kubelet/container.ts';
import { monotonicNow } from '../../recovery/clock.ts';
import { keeperDaemonSet } from '../../recovery/deploy/keeper-daemonset.ts';
import { defaultOptions } from '../../recovery/deploy/options.ts';
import type { HistoryEvent } from '../../src/timeline/record.ts';
import type { KeeperSettings } from '../cluster.ts';
import { deployedContainer } from './deployed-agent.ts';
import { programs } from './paths.ts';
import { followServing, type ServingProcess } from './serving-process.ts';

export interface KeeperProcessOptions {
  readonly command: readonly string[];
  readonly nodeName: string;
  readonly runtime: RuntimeOptions;
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onEvent: (event: HistoryEvent) => void;
}

const name = 'rekindle-keeper';

/** Runs the keeper as its DaemonSet would, and starts it again when it ends by itself. */
export class KeeperProcess {
  readonly #options: KeeperProcessOptions;
  #child: ServingProcess | undefined;
  #settings: KeeperSettings | undefined;

  constructor(options: KeeperProcessOptions) {
    this.#options = options;
  }

  /** Runs the keeper with these settings, or none. Resolves when it serves. */
  async follow(settings: KeeperSettings | undefined): Promise<void> {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#child?.process.kill('SIGTERM');
    await this.#child?.exited;
    this.#child = undefined;
    if (settings !== undefined) await this.#start(settings);
  }

  /** Sends SIGKILL, followed by a restart. Resolves with the time of the signal once the keeper serves again. */
  async kill(): Promise<number> {
    if (this.#child === undefined || this.#settings === undefined) throw new Error('no keeper is running');
    const child = this.#child;
    const at = monotonicNow();
    child.process.kill('SIGKILL');
    await child.exited;
    await this.#start(this.#settings);
    return at;
  }

  async #start({ deadline, fault }: KeeperSettings): Promise<void> {
    const { command, nodeName, runtime, environment, logFile, onEvent } = this.#options;
    const program = fault === undefined ? command : [process.execPath, programs.faultyKeeper, `--fault=${fault}`];
    const daemonSet = keeperDaemonSet(defaultOptions);
    const spec = deployedContainer({ daemonSet, nodeName, program, environment });
    const argv = [...spec.argv, ...(deadline === undefined ? [] : [`--deadline=${deadline}`])];
    const child = followServing(startContainer(runtime, { ...spec, argv }).program, {
      name: 'keeper',
      logFile,
      onLine: (line) => onEvent(toOutput(line)),
    });
    this.#child = child;
    await child.ready;
  }
}

/** Lines of the keeper's log are output of a program in the history. */
function toOutput(line: Readonly<Record<string, unknown>>): HistoryEvent {
  const at = typeof line.ns === 'string' ? Number(line.ns) : monotonicNow();
  return { kind: 'output', at, program: name, stream: 'stdout', text: JSON.stringify(line) };
}
