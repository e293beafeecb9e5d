import type { NodeService } from '../../../recovery/csi/node.ts';
import type { CsiResult } from '../../../recovery/csi/status.ts';
import type { ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import {
  isReadOnly,
  kubeletRoot,
  type ModelledNode,
  milliseconds,
  type SimulatedMount,
  type SimulatedPod,
  sourcePath,
} from './modelled-node.ts';

/** Milliseconds after which a call of the driver is repeated: first and longest. */
const retries = [500, 16_000] as const;

export interface ModelledKubeletOptions {
  readonly node: ModelledNode;
  readonly clock: ModelledClock;
  /** Calls the driver; undefined if no agent runs. Rejects if the agent dies meanwhile. */
  readonly call: <T>(run: (csi: NodeService) => Promise<T>) => Promise<T> | undefined;
  /** The API server must learn of a change of the pods. */
  readonly onChange: () => void;
  /** The volumes of a pod are published, so its container starts. */
  readonly onStart: (pod: SimulatedPod) => void;
  readonly onPublished: (pod: SimulatedPod, mount: SimulatedMount, readOnly: boolean) => void;
  readonly onUnpublished: (pod: SimulatedPod, mount: SimulatedMount) => void;
  readonly onRefused: (message: string) => void;
}

/** The kubelet: it starts and deletes pods, repeats what fails with back-off, and begins anew after a restart. */
export class ModelledKubelet {
  readonly deleting = new Set<SimulatedPod>();
  readonly #options: ModelledKubeletOptions;
  /** Aborted at each restart: the calls of an earlier one are cancelled, and what it began is given up. */
  #instance = new AbortController();
  /** The call that runs for a pod. The kubelet makes no two at a time. */
  #running = new Map<SimulatedPod, Promise<boolean>>();

  constructor(options: ModelledKubeletOptions) {
    this.#options = options;
  }

  restart(): void {
    this.end();
    this.#instance = new AbortController();
    this.#running = new Map();
    for (const pod of [...this.#options.node.pods])
      void (this.deleting.has(pod) ? this.deletePod(pod) : this.startPod(pod));
  }

  end(): void {
    this.#instance.abort();
  }

  /** Publishes the volumes until that succeeds, and starts the container. */
  async startPod(pod: SimulatedPod): Promise<void> {
    const { signal } = this.#instance;
    const isCurrent = () => !signal.aborted && !this.deleting.has(pod) && this.#options.node.pods.includes(pod);
    const isPublished = await this.#untilDone(isCurrent, () => this.publish(pod));
    if (isPublished && pod.process === undefined) this.#options.onStart(pod);
  }

  /** Publishes all volumes of a pod. `otherAccess`: writable ones that are mounted and answer are requested read-only. */
  publish(pod: SimulatedPod, otherAccess = false): Promise<boolean> {
    return this.#exclusive(pod, (signal) => this.#publish(pod, { signal, otherAccess }));
  }

  async #exclusive(pod: SimulatedPod, run: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    const { signal } = this.#instance;
    const call = (this.#running.get(pod) ?? Promise.resolve(true)).then(() => !signal.aborted && run(signal));
    this.#running.set(pod, call);
    return call;
  }

  async #publish(
    pod: SimulatedPod,
    { signal, otherAccess }: { readonly signal: AbortSignal; readonly otherAccess: boolean },
  ): Promise<boolean> {
    if (this.deleting.has(pod) || !this.#options.node.pods.includes(pod)) return false;
    for (const mount of pod.mounts) {
      const { volume, target } = mount;
      const isServed = this.#options.node.at(target)?.mount.filesystem.connection?.state === 'live';
      const readonly = isReadOnly(volume) || (otherAccess && isServed);
      const result = await this.#call((csi) =>
        csi.nodePublishVolume(
          {
            volumeId: volume.handle,
            targetPath: target,
            stagingTargetPath: `${kubeletRoot}/plugins/staging`,
            readonly,
            volumeCapability: {
              accessMode: { mode: isReadOnly(volume) ? 'MULTI_NODE_READER_ONLY' : 'MULTI_NODE_MULTI_WRITER' },
              mount: {},
            },
            volumeContext: { fluid_path: sourcePath(volume, 'active'), 'csi.storage.k8s.io/pod.uid': pod.spec.uid },
          },
          { signal },
        ),
      );
      if (result?.ok) this.#options.onPublished(pod, mount, readonly);
      else if (result !== undefined)
        this.#options.onRefused(`publish ${pod.spec.uid}: ${result.code} ${result.message}`);
      if (!result?.ok) return false;
    }
    return true;
  }

  /** Stops the container and unpublishes the volumes until that succeeds; then the pod is gone. */
  async deletePod(pod: SimulatedPod): Promise<void> {
    const { node, onChange, onUnpublished } = this.#options;
    const { signal } = this.#instance;
    this.deleting.add(pod);
    pod.spec = { ...pod.spec, deleting: true };
    onChange();
    node.stopContainer(pod);
    const isGone = await this.#untilDone(
      () => !signal.aborted,
      () =>
        this.#exclusive(pod, async () => {
          for (const mount of pod.mounts) {
            const { volume, target: targetPath } = mount;
            const result = await this.#call((csi) =>
              csi.nodeUnpublishVolume({ volumeId: volume.handle, targetPath }, { signal }),
            );
            if (!result?.ok) return false;
            onUnpublished(pod, mount);
          }
          return true;
        }),
    );
    if (!isGone) return;
    this.deleting.delete(pod);
    if (node.pods.includes(pod)) node.removePod(pod);
    onChange();
  }

  async #call<T>(run: (csi: NodeService) => Promise<CsiResult<T>>): Promise<CsiResult<T> | undefined> {
    return this.#options.call(run)?.catch(() => undefined);
  }

  /** Gives false once it is not current any more. */
  async #untilDone(isCurrent: () => boolean, attempt: () => Promise<boolean>): Promise<boolean> {
    for (let delay: number = retries[0]; isCurrent(); delay = Math.min(2 * delay, retries[1])) {
      const isDone = await attempt();
      if (!isCurrent()) return false;
      if (isDone) return true;
      await new Promise<void>((resolve) => void this.#options.clock.after(milliseconds(delay), resolve));
    }
    return false;
  }
}
