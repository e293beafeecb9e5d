import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { CannotRun } from '../../clusters/cluster.ts';
import { connectDocker } from '../../clusters/kubernetes/docker.ts';
import { buildHarnessImage } from '../../clusters/kubernetes/images.ts';
import {
  type NodeOfPod,
  type NodeOfPodOptions,
  openNodeOfPod,
  type PodMount,
} from '../../clusters/kubernetes/user-pod.ts';
import { watchKubernetesEvents } from '../../clusters/kubernetes-events.ts';
import { poll, pollOrLast } from '../../clusters/poll.ts';
import { createCredentials } from '../../fakes/store/credentials.ts';
import { isReadOnly, parseMountinfo } from '../../recovery/linux/mountinfo.ts';
import { seesNoOtherError } from '../checks/outage.ts';
import { isNotRestarted, type RestartState } from '../checks/pod-lifecycle.ts';
import { readsAgain, readsNoWrongData, seesNoEmptyDirectory } from '../checks/reads.ts';
import { colourFor } from '../colour.ts';
import { readsSteadily } from '../scenario/pod-reads.ts';
import { containerOf } from '../scenario/pod-state.ts';
import type { ScenarioNotes } from '../scenario/session.ts';
import { type Consumer, containerName, probeName } from '../timeline/consumer.ts';
import { openHistory } from '../timeline/history.ts';
import type { Fidelity, HistoryEvent, StepRecord } from '../timeline/record.ts';
import { Timeline } from '../timeline/timeline.ts';
import type { CrashPodOptions, RunOutcome } from '../verbs.ts';
import { createScenarioRecord, formatConclusion } from './crash.ts';
import { createNarrator } from './printer.ts';
import { conclude, harnessPrograms, historyFile, makeResults } from './run.ts';

const fault = 'sigkill';
/** A probe must not burden someone else's application. */
const rate = 50;
const firstReadsMs = 30_000;
/** How long an outage may take to show. A standby or a keeper prevents it. */
const outageMs = 15_000;
/** Good operations after the crash that are awaited: two seconds of them, in which the agent says what it did. */
const goodOperations = 100;

/** The mount that is broken. */
type Victim = Consumer & PodMount;

/**
 * Sends SIGKILL to the FUSE daemon of a pod of the user's, watches from inside until the pod reads again, and judges it. The caller has the
 * user's consent. Nothing of the pod is changed; what the run adds to the cluster is removed. `open` is for tests.
 */
export async function crashPod(options: CrashPodOptions, open: OpenNode = openNode): Promise<RunOutcome> {
  const { environment, pod, runId, timeoutMs } = options;
  const { stdout, stderr, env, signal } = environment;
  const paint = colourFor(stdout, env);
  const print = (line: string) => void stdout.write(`${line}\n`);
  const onProgress = (line: string) => void stderr.write(`… ${line}\n`);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(options.kubeConfig);
  const leftovers: string[] = [];
  const results = makeResults(options);
  await using life = new AsyncDisposableStack();
  const { resultsDir, origin } = results;
  const history = life.use(await openHistory({ path: join(resultsDir, historyFile), origin }));
  const notes: ScenarioNotes = { id: 'crash', startedAt: history.now(), finishedAt: 0, checks: [] };
  history.enter(notes.id);
  let crashedAt: number | undefined;
  let victim: Victim | undefined;
  const narrate = createNarrator({ write: print, crashedAt: () => crashedAt });
  const heading = (line: string) => {
    narrate.flush();
    print(`\n${paint('bold', line)}`);
  };
  /** What arrives before the time of the crash is known, which the story is timed from. */
  let untimed: HistoryEvent[] | undefined;
  const onEvent = (event: HistoryEvent) => {
    if (!concerns(event, pod.namespace, victim)) return;
    history.append(event);
    if (untimed === undefined) narrate(event);
    else untimed.push(event);
  };
  const steadySince = (since: number) =>
    victim !== undefined &&
    readsSteadily(history.ofScenario(notes.id), { probe: probeName(victim), since, lists: true });
  let stop: StepRecord | undefined;
  let kernel = '';
  try {
    const node = life.use(await open(options, { kubeConfig, pod, runId, onEvent, onProgress, signal }));
    kernel = node.facts.kernel;
    life.use(await watchKubernetesEvents(kubeConfig, onEvent));
    const found = await findVictim(options, node.remote);
    victim = found;
    const before = await restartState(kubeConfig, found);
    const daemon = await node.remote.servingDaemon(found, found.path);
    const home = daemon.podUid === undefined ? 'the node' : await podTitle(kubeConfig, daemon.podUid);
    heading(`Pod ${pod.namespace}/${pod.name} reads ${found.path} (${found.volume}), which ${home} serves:`);
    print(`  ${daemon.pids.join(', ')}  ${daemon.command.slice(0, 200)}`);
    // What is written meanwhile has other bytes.
    const files = found.readOnly ? await node.remote.sampleFiles(found, found.path) : {};
    life.use(await node.remote.probe({ target: found, path: found.path, rate, files }));
    await poll({
      condition: `pod ${pod.name} reads ${found.path}`,
      read: () => steadySince(0),
      until: (steadily) => steadily,
      format: () => 'errors, or nothing',
      timeoutMs: firstReadsMs,
      signal,
    });
    heading(`Crash: SIGKILL to ${daemon.pids.join(', ')}`);
    untimed = [];
    const at = node.toOurClock(await node.remote.killServingDaemon(found, found.path, daemon.pids));
    crashedAt = at;
    const early = untimed;
    untimed = undefined;
    onEvent({ kind: 'fault', at, fault, phase: 'injected', target: home });
    for (const event of early) narrate(event);
    const since = at - origin;
    const count = (isGood: boolean) =>
      history
        .ofScenario(notes.id)
        .filter((event) => event.kind === 'probe' && event.at >= since && (event.result === 'ok') === isGood).length;
    await pollOrLast({ read: () => count(false), until: (failures) => failures > 0, timeoutMs: outageMs, signal });
    await pollOrLast({
      read: () => steadySince(since) && count(true) >= goodOperations,
      until: (isBack) => isBack,
      timeoutMs,
      intervalMs: 100,
      signal,
    });
    const timeline = Timeline.ofScenario(history.events, notes.id);
    notes.checks.push(
      readsAgain(timeline, found),
      isNotRestarted(timeline, { consumer: found, before, after: await restartState(kubeConfig, found) }),
      seesNoEmptyDirectory(timeline, found, true),
      seesNoOtherError(timeline, found, kernel),
      ...(Object.keys(files).length > 0 ? [readsNoWrongData(timeline, found)] : []),
    );
  } catch (error) {
    if (!signal.aborted && crashedAt === undefined) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (!signal.aborted) stderr.write(`rekindle: ${message}\n`);
    stop = {
      keyword: 'When',
      text: `${fault} of the daemon of ${pod.namespace}/${pod.name}`,
      status: 'failed',
      at: notes.startedAt,
      tookNs: history.now() - notes.startedAt,
      error: message,
      cause: signal.aborted ? 'interruption' : 'error',
    };
  }
  notes.finishedAt = history.now();
  await history.flush();
  const record = await conclude({
    ...results,
    options,
    profile: 'none',
    command: ['rekindle', 'crash'],
    clusters: [{ name: 'existing', fidelity: fidelityOf(options), secret: createCredentials().accessKeySecret }],
    scenarios: [createScenarioRecord({ fault, recovery: true }, notes, stop)],
    events: history.events,
    leftovers,
    errors: [],
  });
  heading('What came of it');
  for (const line of formatConclusion(history.events, notes)) print(`  ${line}`);
  if (record.verdict !== 'pass')
    print(`  why: rekindle explain ${pod.name} -n ${pod.namespace} --context ${options.context}`);
  print(`\n${resultsDir}/report.html  (run ${runId})`);
  await life.disposeAsync().catch((error: Error) => void leftovers.push(error.message));
  return { verdict: record.verdict, leftovers, resultsDir };
}

type OpenNode = (options: CrashPodOptions, node: Omit<NodeOfPodOptions, 'image'>) => Promise<NodeOfPod>;

const openNode: OpenNode = async (options, node) => openNodeOfPod({ ...node, image: await harnessImage(options) });

/** The given image of the harness, or the one that is built here. @throws CannotRun */
export async function harnessImage({
  image,
  environment: { env, signal },
}: Pick<CrashPodOptions, 'image' | 'environment'>): Promise<string> {
  return image ?? buildHarnessImage(await connectDocker({ environment: env, signal }), harnessPrograms);
}

const fidelityOf = ({ context }: CrashPodOptions): Fidelity => ({
  place: `the cluster of the context ${context}`,
  clockScale: 1,
  parts: [{ part: 'pod, node, FUSE daemon and agent', is: 'those of the user', fake: false }],
});

/** The FUSE mount among those of the pod's volumes. @throws CannotRun if there is none, or several */
async function findVictim(
  { pod, path: wanted }: CrashPodOptions,
  remote: Pick<NodeOfPod['remote'], 'mountTable'>,
): Promise<Victim> {
  const { namespace, name } = pod;
  const found: Victim[] = [];
  for (const mount of pod.mounts) {
    const target = { namespace, pod: name, container: mount.container };
    const mounts = parseMountinfo((await remote.mountTable(target)).join('\n'));
    const top = mounts.findLast(({ mountPoint }) => mountPoint === mount.path);
    if (top && /^fuse(\.|$)/.test(top.fstype))
      found.push({ ...target, ...mount, readOnly: mount.readOnly || isReadOnly(top) });
  }
  const matching = wanted === undefined ? found : found.filter(({ path }) => path === wanted);
  const [first] = matching;
  const paths = [...new Set(found.map(({ path }) => path))];
  const title = `pod ${namespace}/${name}`;
  if (first === undefined)
    throw new CannotRun([
      paths.length === 0
        ? { what: `no volume of ${title} is a FUSE mount`, remedy: 'name a pod with a FUSE volume' }
        : { what: `${title} has no FUSE mount at ${wanted}`, remedy: `choose one with --path: ${paths.join(', ')}` },
    ]);
  if (wanted === undefined && paths.length > 1)
    throw new CannotRun([
      { what: `${title} has ${paths.length} FUSE mounts`, remedy: `choose one with --path: ${paths.join(', ')}` },
    ]);
  return first;
}

/** Whether an event is about the broken mount: others of the namespace concern nobody here. */
export function concerns(
  event: HistoryEvent,
  namespace: string,
  victim: Pick<Victim, 'namespace' | 'pod' | 'container' | 'volume'> | undefined,
): boolean {
  const own = victim && containerName(victim);
  switch (event.kind) {
    case 'probe':
    case 'hang':
    case 'fault':
      return true;
    case 'event':
      return victim !== undefined && event.object === `Pod ${namespace}/${victim.pod}`;
    case 'agent':
      return (
        event.where === own || (event.where !== undefined && event.where === 'node' && event.volume === victim?.volume)
      );
    case 'mount':
      return event.where === own;
    case 'process':
      return event.role === 'agent' || event.name === own;
    case 'kubelet':
      return event.pod === `${namespace}/${victim?.pod}`;
    default:
      return false;
  }
}

async function restartState(kubeConfig: KubeConfig, { namespace, pod, container }: Consumer): Promise<RestartState> {
  const read = await kubeConfig.makeApiClient(CoreV1Api).readNamespacedPod({ namespace, name: pod });
  const status = containerOf(read, container);
  return { containerId: status?.containerID ?? '', restartCount: status?.restartCount ?? 0 };
}

async function podTitle(kubeConfig: KubeConfig, uid: string): Promise<string> {
  const { items } = await kubeConfig.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  const { metadata } = items.find((each) => each.metadata?.uid === uid) ?? {};
  return metadata ? `pod ${metadata.namespace}/${metadata.name}` : `the pod with the UID ${uid}`;
}
