import type { Decision, KernelTier, Volume } from '../../../recovery/engine/model.ts';
import { createModelledClock, type ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import { Invariants, isInvariantViolation, violation } from './invariants.ts';
import { AgentDied, ModelledAgent } from './modelled-agent.ts';
import { ModelledApi } from './modelled-api.ts';
import { isReadOnly, kubeletRoot, ModelledNode, milliseconds, type SimulatedPod, targetOf } from './modelled-node.ts';
import type { NodeStep } from './node-history.ts';

const volumes = 3;
/** Milliseconds after which the kubelet repeats a call of the driver. */
const retryDelay = 500;
/** Milliseconds until a process that ended runs again: the agent, and a daemon by how often it has ended before. */
const agentRestart = 800;
const daemonRestarts = [100, 2_000, 5_000, 10_000];
/** Milliseconds from a daemon's mount to its first answer. */
const daemonStart = 300;
/** Milliseconds of rest within which every recoverable pod must read. */
const restBudget = 60_000;

/** Decisions at one moment of virtual time after which the agent is taken to be in a loop. */
const mostDecisions = 2_000;

/** Whether an error is the agent's death, or followed from it. */
export function isDeath(error: unknown): boolean {
  if (error instanceof SuppressedError) return isDeath(error.error) || isDeath(error.suppressed);
  return error instanceof AgentDied;
}

/** A violated invariant, or undefined; and the number of steps that ran. */
export interface SimulatedRun {
  readonly steps: number;
  readonly violation: string | undefined;
  /** What happened, in order, with virtual times. */
  readonly story: readonly string[];
}

/** Runs a history on a modelled node in virtual time, then lets the node rest, and checks the invariants after each step. */
export async function runNodeHistory(history: readonly NodeStep[], tier: KernelTier): Promise<SimulatedRun> {
  const run = new NodeRun(tier);
  let steps = 0;
  try {
    await run.start();
    for (const step of history) {
      steps += 1;
      await run.take(step);
    }
    await run.rest();
    return { steps, violation: undefined, story: run.story };
  } catch (error) {
    if (!isInvariantViolation(error)) throw error;
    return { steps, violation: error.message, story: run.story };
  } finally {
    run.end();
  }
}

class NodeRun {
  readonly story: string[] = [];
  readonly #clock: ModelledClock = createModelledClock();
  readonly #node: ModelledNode;
  readonly #api: ModelledApi;
  readonly #invariants: Invariants;
  readonly #tier: KernelTier;
  readonly #ended = new Map<string, number>();
  readonly #deleting = new Set<SimulatedPod>();
  #agent: ModelledAgent | undefined;
  #violation: Error | undefined;
  #kubelet = 0;
  #decisions = 0;
  #decidedAt = 0n;
  #isOver = false;

  constructor(tier: KernelTier) {
    this.#tier = tier;
    this.#node = new ModelledNode(this.#clock, volumes);
    this.#api = new ModelledApi(this.#clock, this.#node);
    this.#invariants = new Invariants(this.#node, tier);
  }

  async start(): Promise<void> {
    for (const volume of this.#node.volumes) {
      this.#node.serve(volume, false);
      this.#node.setState(volume, 'live');
    }
    this.#startAgent();
    await this.#clock.settle();
  }

  async take(step: NodeStep): Promise<void> {
    if (step.after > 0) await this.#pass(step.after);
    const { after: _, ...body } = step;
    this.#tell(JSON.stringify(body));
    this.#apply(step);
    await this.#clock.settle();
    this.#check();
  }

  /** Ends all faults, and checks that every pod that can be recovered reads. */
  async rest(): Promise<void> {
    this.#tell('rest');
    this.#api.isSilent = false;
    this.#agent?.dieBefore(Number.POSITIVE_INFINITY);
    for (const volume of this.#node.volumes) this.#node.setState(volume, 'live');
    await this.#pass(daemonRestarts.at(-1) ?? 0);
    for (let waited = 0; waited < restBudget; waited += 5_000) await this.#pass(5_000);
    this.#check();
    this.#invariants.atRest(this.#deleting);
    this.#throwViolation();
  }

  end(): void {
    this.#isOver = true;
    this.#agent?.end();
  }

  async #pass(duration: number): Promise<void> {
    await this.#clock.advance(duration);
    this.#check();
  }

  #check(): void {
    this.#throwViolation();
    this.#invariants.check();
  }

  #throwViolation(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  #tell(line: string): void {
    this.story.push(`${(Number(this.#clock.now() / 1_000n) / 1000 - 1000).toFixed(3)} ms  ${line}`);
  }

  #later(delay: number, run: () => void): void {
    this.#clock.after(milliseconds(delay), () => {
      if (!this.#isOver) run();
    });
  }

  #apply(step: NodeStep): void {
    const node = this.#node;
    const volume = 'volume' in step ? node.volumes[step.volume % node.volumes.length] : undefined;
    const pod = 'pod' in step && node.pods.length > 0 ? node.pods[step.pod % node.pods.length] : undefined;
    switch (step.op) {
      case 'create-pod': {
        if (volume === undefined || node.pods.length >= 8) return;
        const created = node.createPod(volume, step.propagation, step.labelled);
        this.#api.changed();
        void this.#startPod(created, this.#kubelet);
        return;
      }
      case 'delete-pod':
        if (pod !== undefined && !this.#deleting.has(pod)) void this.#deletePod(pod);
        return;
      case 'restart-container':
        if (pod?.process === undefined || this.#deleting.has(pod)) return;
        node.stopContainer(pod);
        node.startContainer(pod);
        return;
      case 'republish':
        if (pod?.process !== undefined && !this.#deleting.has(pod)) void this.#publish(pod).catch(() => undefined);
        return;
      case 'mount-foreign':
        if (volume !== undefined) node.mountForeign(volume);
        return;
      case 'cover':
      case 'mount-inside':
        if (pod !== undefined) node.mountInContainer(pod, step.op === 'cover' ? 'cover' : 'inside');
        return;
      case 'crash':
        if (volume === undefined || node.connectionOf(volume)?.state === 'dead') return;
        node.setState(volume, 'dead');
        this.#restartDaemon(volume, step.stacks);
        return;
      case 'hang':
      case 'answer':
        if (volume !== undefined && node.connectionOf(volume)?.state === (step.op === 'hang' ? 'live' : 'hung'))
          node.setState(volume, step.op === 'hang' ? 'hung' : 'live');
        return;
      case 'agent-dies':
        this.#agent?.dieBefore(step.calls);
        return;
      case 'restart-kubelet':
        this.#kubelet += 1;
        for (const each of node.pods)
          if (!this.#deleting.has(each)) void this.#startPod(each, this.#kubelet);
          else void this.#deletePod(each);
        return;
      case 'api-silent':
      case 'api-answers':
        this.#api.isSilent = step.op === 'api-silent';
        return;
      case 'wait':
        return;
    }
  }

  #restartDaemon(volume: Volume, stacks: boolean): void {
    const before = this.#ended.get(volume.name) ?? 0;
    this.#ended.set(volume.name, before + 1);
    this.#later(daemonRestarts[Math.min(before, daemonRestarts.length - 1)] ?? 0, () => {
      this.#node.serve(volume, stacks);
      const connection = this.#node.connectionOf(volume);
      this.#later(daemonStart, () => {
        if (connection === this.#node.connectionOf(volume) && connection?.state === 'starting')
          this.#node.setState(volume, 'live');
      });
    });
  }

  #startAgent(): void {
    try {
      this.#agent = new ModelledAgent({
        ...{ node: this.#node, clock: this.#clock, tier: this.#tier, kubernetes: this.#api },
        record: (decision) => this.#decided(decision),
        onRead: (request, device) => this.#hold(() => this.#invariants.read(request, device)),
        onChange: () => this.#hold(() => this.#invariants.check(true)),
        onAbort: () => this.#hold(() => this.#invariants.aborted()),
        onDeath: () => {
          if (this.#isOver) return;
          this.#tell('the agent dies');
          this.#later(agentRestart, () => this.#startAgent());
        },
      });
      this.#agent.engine.start();
    } catch (error) {
      if (!isDeath(error)) throw error;
    }
  }

  #decided(decision: Decision): void {
    const now = this.#clock.now();
    this.#decisions = now === this.#decidedAt ? this.#decisions + 1 : 0;
    this.#decidedAt = now;
    if (this.#decisions > mostDecisions) {
      this.#violation ??= violation('the agent does not come to rest: its passes start one another');
      this.#agent?.end();
    }
    if (decision.event === 'passed') return;
    const site = 'site' in decision ? `${decision.site.podUid} ${decision.site.path}` : '';
    const why = 'reason' in decision ? decision.reason : 'failure' in decision ? decision.failure?.errno : '';
    this.#tell(`  agent: ${decision.event} ${site} ${why ?? ''}`.trimEnd());
    this.#hold(() => this.#invariants.decided(decision));
  }

  /** Keeps a violation that is found while the agent runs, which must not see it as a failure of its own. */
  #hold(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#violation ??= error as Error;
    }
  }

  /** Publishes the volume until that succeeds, and starts the container. */
  async #startPod(pod: SimulatedPod, kubelet: number): Promise<void> {
    while (!this.#isOver && kubelet === this.#kubelet && !this.#deleting.has(pod)) {
      const isPublished = await this.#publish(pod).catch(() => false);
      if (this.#isOver || kubelet !== this.#kubelet || this.#deleting.has(pod)) return;
      if (isPublished) {
        if (pod.process === undefined) this.#node.startContainer(pod);
        return;
      }
      await this.#sleep(retryDelay);
    }
  }

  async #publish(pod: SimulatedPod): Promise<boolean> {
    const { volume, spec } = pod;
    const target = targetOf(pod);
    const agent = this.#agent;
    if (agent === undefined) return false;
    const result = await agent.call((csi) =>
      csi.nodePublishVolume(
        {
          ...{
            volumeId: volume.handle,
            targetPath: target,
            stagingTargetPath: `${kubeletRoot}/plugins/staging`,
            readonly: isReadOnly(volume),
          },
          volumeCapability: {
            accessMode: { mode: isReadOnly(volume) ? 'MULTI_NODE_READER_ONLY' : 'MULTI_NODE_MULTI_WRITER' },
            mount: {},
          },
          volumeContext: { fluid_path: volume.sources[0] ?? '', 'csi.storage.k8s.io/pod.uid': spec.uid },
        },
        { signal: new AbortController().signal },
      ),
    );
    if (result.ok) this.#invariants.published(pod);
    else this.#tell(`  csi: publish ${spec.uid}: ${result.code} ${result.message}`);
    return result.ok;
  }

  /** Stops the container and unpublishes the volume until that succeeds; then the pod is gone. */
  async #deletePod(pod: SimulatedPod): Promise<void> {
    const kubelet = this.#kubelet;
    this.#deleting.add(pod);
    this.#api.changed();
    this.#node.stopContainer(pod);
    const target = targetOf(pod);
    while (!this.#isOver && kubelet === this.#kubelet) {
      const call = this.#agent?.call((csi) =>
        csi.nodeUnpublishVolume(
          { volumeId: pod.volume.handle, targetPath: target },
          { signal: new AbortController().signal },
        ),
      );
      const result = await call?.catch(() => undefined);
      if (this.#isOver || kubelet !== this.#kubelet) return;
      if (result?.ok) {
        this.#violation ??= this.#invariants.unpublished(pod);
        this.#deleting.delete(pod);
        if (this.#node.pods.includes(pod)) this.#node.removePod(pod);
        this.#api.changed();
        return;
      }
      await this.#sleep(retryDelay);
    }
  }

  #sleep(delay: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(milliseconds(delay), resolve));
  }
}
