/** A node without a kubelet of its own: its label, the taint that keeps other pods away, and how a pod asks for one (ACK: `eci_only`). */
export const virtualNode = {
  label: 'type',
  value: 'virtual-kubelet',
  taint: 'virtual-kubelet.io/provider',
  annotation: 'alibabacloud.com/burst-resource',
  asked: 'eci_only',
} as const;

export const asksForVirtualNode = (annotations: Readonly<Record<string, unknown>> | undefined): boolean =>
  annotations?.[virtualNode.annotation] === virtualNode.asked;
