/** Annotations of a Node: the ranges of addresses of the cluster that it is in. */
export const podRangeAnnotation = "supervisor.atoll.dev/pod-range";
export const serviceRangeAnnotation = "supervisor.atoll.dev/service-range";
