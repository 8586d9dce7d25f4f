/** The API group of Mission Control. */
export const fleetGroup = { group: "fleet.atoll.dev", version: "v1alpha1", namespaced: true } as const;
