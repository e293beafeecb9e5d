import type { Failure, LiveSource, MountSite, Nanoseconds, NodeView } from './model.ts';
import { containerOf } from './places.ts';
import type { KernelPort, ReadRequest } from './ports.ts';

/** A site that shows the source's mount; whether it can be read there is what matters. */
export interface Unproven {
  readonly site: MountSite;
  readonly source: LiveSource;
}

/**
 * Reads through the new mount, in the consumer's namespace and as its user. Undefined is the only success: the read worked and
 * the source's own device answered it. ENOTCONN right after a replacement means that the daemon died again.
 */
export async function verify(
  kernel: Pick<KernelPort, 'read'>,
  view: Pick<NodeView, 'containers'>,
  { site, source }: Unproven,
  deadline: Nanoseconds,
): Promise<Failure | undefined> {
  const answer = await kernel.read({ site, device: source.device, deadline, ...consumer(view, site) });
  if (!answer.ok) return answer.failure;
  if (answer.value === source.device) return undefined;
  return { errno: 'ESTALE', call: 'statfs', path: site.path, step: 'verify-device' };
}

function consumer({ containers }: Pick<NodeView, 'containers'>, site: MountSite): Pick<ReadRequest, 'user'> {
  const container = containerOf(containers, site);
  return container === undefined ? {} : { user: container.user };
}
