/** A container that uses a volume, and where it sees it. */
export interface Consumer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly path: string;
}

/** As in `where` of mount and agent events. */
export const whereOf = ({ namespace, pod, container }: Consumer) => `${namespace}/${pod}/${container}`;

/** As in `probe` of probe events. */
export const probeOf = (consumer: Consumer) => `${whereOf(consumer)}:${consumer.path}`;
