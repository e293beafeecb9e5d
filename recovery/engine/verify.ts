import type { Failure, LiveSource, Nanoseconds, NodeView, Place } from './model.ts';
import { containerOf } from './places.ts';
import type { KernelPort, ReadRequest } from './ports.ts';

/** A place that shows the source's mount; whether it can be read there is what matters. */
export interface Unproven {
  readonly place: Place;
  readonly source: LiveSource;
}

/**
 * Reads through the new mount, in the consumer's namespace and as its user. Undefined is the only success: the read worked and
 * the source's own device answered it. ENOTCONN right after a replacement means that the daemon died again.
 */
export async function verify(
  kernel: Pick<KernelPort, 'read'>,
  view: Pick<NodeView, 'containers'>,
  { place, source }: Unproven,
  deadline: Nanoseconds,
): Promise<Failure | undefined> {
  const answer = await kernel.read({ place, device: source.device, deadline, ...consumer(view, place) });
  if (!answer.ok) return answer.failure;
  if (answer.value === source.device) return undefined;
  return { errno: 'ESTALE', call: 'statfs', path: place.path, step: 'verify-device' };
}

function consumer({ containers }: Pick<NodeView, 'containers'>, place: Place): Pick<ReadRequest, 'user'> {
  const container = containerOf(containers, place);
  return container === undefined ? {} : { user: container.user };
}
