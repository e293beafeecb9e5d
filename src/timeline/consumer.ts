export interface ContainerRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A container that uses a volume, and the path at which it mounts it. */
export interface Consumer extends ContainerRef {
  readonly path: string;
}

/** `<namespace>/<pod>/<container>`, as in `where` of mount and agent events. */
export const containerName = ({ namespace, pod, container }: ContainerRef): string =>
  `${namespace}/${pod}/${container}`;

/** `<namespace>/<pod>/<container>:<path>`, as in `probe` of probe events. */
export const probeName = (consumer: Consumer): string => `${containerName(consumer)}:${consumer.path}`;

/** The parts of a probe's name; `pod` is `<namespace>/<pod>`. */
export function parseProbeName(probe: string): {
  readonly container: string;
  readonly pod: string;
  readonly path: string;
} {
  const colon = probe.indexOf(':');
  const container = colon < 0 ? probe : probe.slice(0, colon);
  const path = colon < 0 ? '' : probe.slice(colon + 1);
  return { container, pod: container.split('/').slice(0, 2).join('/'), path };
}
