/** The API group of the Supervisor. */
export const supervisorGroup = { group: "supervisor.atoll.dev", version: "v1alpha1", namespaced: false } as const;
