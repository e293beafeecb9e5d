import type { ControllerParts } from '../controller.ts';
import { startFluid } from '../fluid/reconciler.ts';
import { startDaemonSets } from './daemon-sets.ts';
import { startProvisioner } from './provisioner.ts';
import { startScheduler } from './scheduler.ts';
import { startVolumeBinder } from './volume-binder.ts';

/** Starts the scheduler, the volume binder, the DaemonSet controller, Fluid's controllers and a driver's provisioner, until disposed of. */
export async function startControllers(
  options: ControllerParts & {
    /** As of `FluidOptions`. */
    readonly mountRoot?: string | undefined;
    /** The CSI driver whose volumes are created and deleted, and the path of its socket. */
    readonly driver?: { readonly name: string; readonly socket: string } | undefined;
  },
): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  await Promise.all(
    [startVolumeBinder, startScheduler, startDaemonSets, startFluid].map(async (start) =>
      starting.use(await start(options)),
    ),
  );
  const { driver, ...others } = options;
  if (driver) starting.use(await startProvisioner({ ...others, driver: driver.name, socket: driver.socket }));
  return starting.move();
}
