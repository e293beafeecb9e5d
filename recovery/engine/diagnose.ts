import { droppedBelow } from './dropped-mounts.ts';
import type { DeviceId, Diagnosis, Mount, MountState, NodeView, SourceState, Volume } from './model.ts';
import { isFuse, mountsOn } from './mount-tree.ts';
import { type Spot, spotsOf } from './places.ts';

/** Every site of every volume whose sources the view knows, and what is the matter with it. Same view, same diagnoses. */
export function diagnose(view: NodeView): readonly Diagnosis[] {
  return view.volumes
    .filter(({ name }) => view.sources.has(name))
    .flatMap((volume) => spotsOf(view, volume).map((spot) => diagnosed(view, spot)));
}

function diagnosed(view: NodeView, { mounts, others, ...spot }: Spot): Diagnosis {
  const state = stateOf(view, spot.volume, spot.stack);
  // What an older layer hides must not be carried over, or it would come back to light.
  const layers = spot.stack.slice(state === 'half-done' ? -2 : -1);
  const below = layers.flatMap((layer) => mountsOn(mounts, layer, spot.stack));
  const top = spot.stack.at(-1);
  if (top === undefined || state === 'healthy') return { ...spot, state, below };
  const { found, lost } = droppedBelow(view, { site: spot.site, top, below, others });
  return { ...spot, state, below: [...below, ...found], ...(lost.length === 0 ? {} : { lost }) };
}

function stateOf(view: NodeView, volume: Volume, stack: readonly Mount[]): MountState {
  const top = stack.at(-1);
  if (top === undefined) return 'gone';
  const live = liveDevices(view, volume);
  if (live.has(top.device)) return 'healthy';
  // Somebody mounted a filesystem of another kind there; it is in nobody's way but its owner's.
  if (!isFuse(top)) return 'healthy';
  const answer = answerOf(view, volume, top.device);
  if (live.size > 0) {
    const beneath = stack.at(-2);
    if (beneath === undefined || !live.has(beneath.device)) return 'orphaned';
    return answer === 'ok' ? 'healthy' : 'half-done';
  }
  if (answer === 'ok') return 'healthy';
  if (answer === 'hung') return 'hung';
  return answer === undefined ? 'orphaned' : 'dead';
}

/** What is known of a device: `ok`, `hung`, an errno name, or undefined where nobody asked. */
export function answerOf(view: NodeView, volume: Volume, device: DeviceId): string | undefined {
  const source = sourcesOf(view, volume).find((state) => state.state !== 'absent' && state.device === device);
  switch (source?.state) {
    case 'live':
      return 'ok';
    case 'hung':
      return 'hung';
    case 'dead':
      return source.errno;
    default:
      return view.devices.get(device);
  }
}

/** The states of a volume's sources; none where the view does not know them. */
export function sourcesOf(view: NodeView, volume: Volume): readonly SourceState[] {
  return view.sources.get(volume.name) ?? [];
}

function liveDevices(view: NodeView, volume: Volume): ReadonlySet<DeviceId> {
  return new Set(sourcesOf(view, volume).flatMap((source) => (source.state === 'live' ? [source.device] : [])));
}
