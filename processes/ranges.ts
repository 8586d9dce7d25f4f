/** Ranges that nothing was said about. Sources: --pod-network-cidr of common network add-ons; kubeadm's service range */
export const usualRanges = { cluster: "10.244.0.0/16", services: "10.96.0.0/12" } as const;
