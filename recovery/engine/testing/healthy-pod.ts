import type { DeviceId } from '../model.ts';
import { createWorld, podNamed, volumeNamed, type World } from './world.ts';

/** A world with one volume, one labelled pod that reads it, and a running engine that has nothing to do. */
export async function oneHealthyPod(options = {}): Promise<World> {
  const world = createWorld(options);
  world.volumes.push(volumeNamed('demo'));
  world.serve('demo');
  world.run(podNamed('pod-1', [{}]));
  world.engine.start();
  await world.clock.settle();
  return world;
}

/** Ends the daemon that serves a volume, and returns the device of its connection. */
export function crash(world: World, volume = 'demo'): DeviceId {
  const device = world.sourceOf(volume);
  if (device === undefined) throw new Error(`volume ${volume} has no source mount to crash`);
  world.kernel.crash(device);
  return device;
}
