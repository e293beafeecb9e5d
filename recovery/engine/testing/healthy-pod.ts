import type { DeviceId } from '../model.ts';
import { createWorld, podNamed, volumeNamed, type World } from './world.ts';

/** One volume, one labelled pod that reads it, an engine that is running and has nothing to do. */
export async function oneHealthyPod(options = {}): Promise<World> {
  const world = createWorld(options);
  world.volumes.push(volumeNamed('demo'));
  world.serve('demo');
  world.run(podNamed('pod-1', [{}]));
  world.engine.start();
  await world.clock.settle();
  return world;
}

/** Ends the daemon that serves a volume now; its device. */
export function crash(world: World, volume = 'demo'): DeviceId {
  const device = world.sourceOf(volume);
  if (device === undefined) throw new Error('nothing to crash');
  world.kernel.crash(device);
  return device;
}
