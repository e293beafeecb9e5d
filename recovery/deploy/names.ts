/** Names that the document and Fluid's manifests give, by which administrators and their scripts find the parts. */
export const names = {
  namespace: 'fluid-system',
  /** Where recovery beside another's node plugin lives. */
  besideNamespace: 'rekindle-system',
  /** The DaemonSet; its container is `plugins`, as Fluid's is. */
  agent: 'csi-nodeplugin-fluid',
  agentContainer: 'plugins',
  /** The DaemonSet beside another's node plugin. */
  beside: 'rekindle-recovery',
  webhook: 'fluid-webhook',
  /** Secret of the webhook's certificate. */
  certificates: 'fluid-webhook-certificates',
} as const;

/** On all that is deployed; what does not bear it is somebody else's, and is never changed or deleted. */
export const managedBy = { label: 'app.kubernetes.io/managed-by', value: 'rekindle' } as const;

/** Labels of an object of a part. */
export const labelsOf = (part: string) => ({
  app: part,
  [managedBy.label]: managedBy.value,
  'app.kubernetes.io/part-of': 'rekindle',
});
