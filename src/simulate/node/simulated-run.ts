import type { Decision, DeviceId, KernelTier, SourceRole, Volume } from '../../../recovery/engine/model.ts';
import { createModelledClock, type ModelledClock } from '../../../recovery/engine/testing/modelled-clock.ts';
import type { FuseConnection } from '../../../recovery/linux/model/connection.ts';
import { Invariants, isInvariantViolation, violation } from './invariants.ts';
import { type AgentFlags, isDeath, ModelledAgent } from './modelled-agent.ts';
import { ModelledApi } from './modelled-api.ts';
import { ModelledKubelet } from './modelled-kubelet.ts';
import { ModelledNode, milliseconds, type SimulatedPod } from './modelled-node.ts';
import type { NodeStep } from './node-history.ts';

const volumes = 3;
const mostPods = 8;
/** Milliseconds until a process that ended runs again: the agent, and a daemon by how often it has ended before. */
const agentRestart = 800;
const daemonRestarts = [100, 2_000, 5_000, 10_000];
/** Milliseconds until a daemon that nothing delays answers. */
const usualStart = 300;
/** Milliseconds for which a daemon that was stopped stays away. */
const stopDuration = 20_000;
/** Milliseconds of rest within which every recoverable pod must read: the longest back-offs of daemon, kubelet and watches. */
const restBudget = 130_000;

/** Decisions at one moment of virtual time after which the agent is taken to be in a loop. */
const mostDecisions = 2_000;
/** Events of Kubernetes in one history. Those that repeat are counted instead. */
const mostEvents = 600;

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
    await run.start(history[0]);
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

interface DaemonRestart {
  readonly volume: Volume;
  readonly role: SourceRole;
  readonly connection: FuseConnection;
  readonly delay: number;
  readonly stacks: boolean;
  readonly starts: number;
}

type EndStep = Extract<NodeStep, { readonly op: 'crash' } | { readonly op: 'stop' | 'abort' }>;

class NodeRun {
  readonly story: string[] = [];
  readonly #clock: ModelledClock = createModelledClock();
  readonly #node = new ModelledNode(this.#clock, volumes);
  readonly #api = new ModelledApi(this.#clock, this.#node);
  readonly #invariants: Invariants;
  readonly #kubelet: ModelledKubelet;
  readonly #tier: KernelTier;
  readonly #ended = new Map<string, number>();
  #flags: AgentFlags = { standby: false, abortsHung: false, policy: 'documented' };
  #agent: ModelledAgent | undefined;
  #violation: Error | undefined;
  #decisions = 0;
  #decidedAt = 0n;
  #isOver = false;

  constructor(tier: KernelTier) {
    this.#tier = tier;
    this.#invariants = new Invariants(this.#node, tier);
    this.#kubelet = new ModelledKubelet({
      node: this.#node,
      clock: this.#clock,
      call: (run) => this.#agent?.call(run),
      onChange: () => this.#api.changed(),
      onStart: (pod) => this.#hold(() => this.#startContainer(pod)),
      onPublished: (pod, mount, readOnly) => this.#hold(() => this.#invariants.published(pod, mount, readOnly)),
      onUnpublished: (pod, mount) => this.#hold(() => this.#invariants.unpublished(pod, mount)),
      onRefused: (message) => this.#tell(`  csi: ${message}`),
    });
  }

  async start(first: NodeStep | undefined): Promise<void> {
    if (first?.op === 'flags') this.#flags = first;
    for (const volume of this.#node.volumes) this.#node.serve(volume, 'active', false).state = 'live';
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
    this.#api.fault = undefined;
    this.#agent?.dieBefore(Number.POSITIVE_INFINITY);
    for (const volume of this.#node.volumes) this.#answer(volume);
    await this.#pass(Math.max(...daemonRestarts, stopDuration));
    for (const volume of this.#node.volumes) this.#answer(volume);
    for (let waited = 0; waited < restBudget; waited += 5_000) await this.#pass(5_000);
    this.#check();
    this.#invariants.atRest(this.#kubelet.deleting);
    this.#throwViolation();
  }

  end(): void {
    this.#isOver = true;
    this.#kubelet.end();
    this.#agent?.end();
  }

  async #pass(duration: number): Promise<void> {
    await this.#clock.advance(duration);
    this.#check();
  }

  #check(): void {
    this.#throwViolation();
    this.#invariants.check();
    if (this.#api.events.length > mostEvents) throw violation(`the agent has written ${mostEvents} events`);
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
    const isRunning = pod?.process !== undefined && !this.#kubelet.deleting.has(pod);
    switch (step.op) {
      case 'flags':
        this.#flags = step;
        return;
      case 'create-pod':
        if (volume === undefined || node.pods.length >= mostPods) return;
        void this.#kubelet.startPod(node.createPod(volume, step));
        this.#api.changed();
        return;
      case 'delete-pod':
        if (pod !== undefined && !this.#kubelet.deleting.has(pod)) void this.#kubelet.deletePod(pod);
        return;
      case 'restart-container':
        if (!isRunning) return;
        node.stopContainer(pod);
        this.#startContainer(pod);
        return;
      case 'republish':
        if (isRunning) void this.#kubelet.publish(pod, step.otherAccess);
        return;
      case 'mount-foreign':
        if (volume !== undefined) node.mountForeign(volume, step.kind);
        this.#api.changed();
        return;
      case 'cover':
      case 'mount-inside':
        if (pod !== undefined) node.mountInContainer(pod, step.op === 'cover' ? 'cover' : 'inside');
        return;
      case 'stack-as-earlier-agent':
        if (pod !== undefined) node.stackAsEarlierAgent(pod);
        return;
      case 'start-standby':
        if (volume !== undefined && (node.connectionOf(volume, 'standby')?.state ?? 'dead') === 'dead')
          this.#serve(volume, 'standby', false, daemonRestarts[0] ?? 0);
        return;
      case 'stop':
        if (volume !== undefined && step.calls !== undefined)
          this.#agent?.before(step.calls, () => this.#end(volume, step));
        else if (volume !== undefined) this.#end(volume, step);
        return;
      case 'abort':
      case 'crash':
        if (volume !== undefined) this.#end(volume, step);
        return;
      case 'hang': {
        const connection = volume === undefined ? undefined : node.connectionOf(volume, 'active');
        if (connection?.state === 'live') connection.state = 'hung';
        return;
      }
      case 'answer':
        if (volume !== undefined) this.#answer(volume);
        return;
      case 'agent-dies':
        this.#agent?.dieBefore(step.calls);
        return;
      case 'restart-kubelet':
        this.#kubelet.restart();
        return;
      case 'api-fails':
        this.#api.fault = step.fault;
        return;
      case 'api-answers':
        this.#api.fault = undefined;
        return;
      case 'api-cuts':
        this.#api.cut();
        return;
      case 'api-expires':
        this.#api.expire();
        return;
      case 'wait':
        return;
    }
  }

  #startContainer(pod: SimulatedPod): void {
    try {
      this.#node.startContainer(pod);
    } catch (error) {
      if (isDeath(error)) throw error;
      throw violation(`${pod.spec.uid} cannot start although its volumes are published: ${(error as Error).message}`);
    }
  }

  #answer(volume: Volume): void {
    for (const role of ['active', 'standby'] as const) {
      const connection = this.#node.connectionOf(volume, role);
      if (connection?.state === 'hung') connection.state = 'live';
    }
  }

  /** Ends a daemon, which comes back later. */
  #end(volume: Volume, step: EndStep): void {
    const role = step.op === 'crash' ? step.source : 'active';
    const connection = this.#node.connectionOf(volume, role);
    if (connection === undefined || connection.state === 'dead') return;
    this.#invariants.daemonEnded(volume, this.#clock.now());
    if (step.op === 'abort') {
      connection.state = 'dead';
      this.#afterAbort(volume, role);
      return;
    }
    connection.crash();
    if (step.op === 'crash') {
      const { stacks, starts } = step;
      this.#restart({ volume, role, connection, delay: this.#restartDelay(volume), stacks, starts });
      return;
    }
    this.#node.unmountSource(volume, role);
    this.#restart({ volume, role, connection, delay: stopDuration, stacks: false, starts: usualStart });
  }

  /** The daemon of an aborted connection ends at its next request. */
  #afterAbort(volume: Volume, role: SourceRole): void {
    const connection = this.#node.connectionOf(volume, role);
    if (connection === undefined) return;
    const delay = this.#restartDelay(volume);
    this.#later(delay, () => connection.handOver());
    this.#restart({ volume, role, connection, delay, stacks: false, starts: usualStart });
  }

  #restartDelay({ name }: Volume): number {
    const before = this.#ended.get(name) ?? 0;
    this.#ended.set(name, before + 1);
    return daemonRestarts[Math.min(before, daemonRestarts.length - 1)] ?? 0;
  }

  #restart({ volume, role, connection, delay, stacks, starts }: DaemonRestart): void {
    this.#later(delay, () => {
      if (this.#node.connectionOf(volume, role) === connection) this.#serve(volume, role, stacks, starts);
    });
  }

  /** `starts`: milliseconds until it answers. */
  #serve(volume: Volume, role: SourceRole, stacks: boolean, starts: number): void {
    const connection = this.#node.serve(volume, role, stacks);
    this.#later(starts, () => {
      if (connection.state === 'starting') connection.state = 'live';
    });
  }

  #startAgent(): void {
    try {
      const flags = this.#flags;
      this.#node.agentStarts();
      this.#invariants.policy = flags.policy;
      this.#agent = new ModelledAgent({
        ...{ node: this.#node, clock: this.#clock, tier: this.#tier, flags, transport: this.#api.transport },
        record: (decision) => this.#decided(decision),
        onRead: (request, device) => this.#hold(() => this.#invariants.read(request, device)),
        onChange: () => this.#hold(() => this.#invariants.check(true)),
        onAbort: (device) => this.#aborted(device, flags),
        onDeath: () => {
          if (this.#isOver) return;
          this.#tell('the agent dies');
          this.#later(agentRestart, () => this.#startAgent());
        },
      });
      this.#agent.start();
    } catch (error) {
      if (!isDeath(error)) throw error;
    }
  }

  #aborted(device: DeviceId, { abortsHung }: AgentFlags): void {
    this.#hold(() => this.#invariants.aborted(device, abortsHung, this.#clock.now()));
    const connection = this.#node.kernel.connections().get(device);
    for (const volume of this.#node.volumes)
      for (const role of ['active', 'standby'] as const)
        if (connection !== undefined && this.#node.connectionOf(volume, role) === connection)
          this.#afterAbort(volume, role);
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
    this.#hold(() => this.#invariants.decided(decision, now));
  }

  /** Keeps a violation that is found while the agent runs, which must not see it as a failure of its own. */
  #hold(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#violation ??= error as Error;
    }
  }
}
