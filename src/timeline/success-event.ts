import type { HistoryEvent } from './record.ts';

export type KubernetesEvent = Extract<HistoryEvent, { kind: 'event' }>;

/** The reason, as Fluid spells it. */
export const successReason = 'FuseRecoverSucceed';

/** `pod default/other-app`, `pod "other-app"`, or a pod's UID outside of a path. */
const namesSomePod = /\bpod (?:[a-z0-9-]+\/[a-z0-9]|"|[0-9a-f]{8}-[0-9a-f]{4}-)/i;

const hasWord = (message: string, word: string) =>
  message.split(/[^a-z0-9.-]+/i).some((part) => part.replace(/[.]+$/, '') === word);

/**
 * Whether a Kubernetes event says that a pod (`<namespace>/<name>`) was recovered: `pod` where it names it, `dataset` where it names
 * none, so that it holds for each; undefined where it is about something else.
 */
export function claimsSuccess(
  { reason, object, message }: KubernetesEvent,
  pod: string,
): 'pod' | 'dataset' | undefined {
  const [podNamespace, podName = ''] = pod.split('/');
  const [kind, namespace, name] = object.split(/[ /]/);
  if (reason !== successReason || namespace !== podNamespace) return undefined;
  if (kind === 'Pod') return name === podName ? 'pod' : undefined;
  if (hasWord(message, podName)) return 'pod';
  return namesSomePod.test(message) ? undefined : 'dataset';
}
