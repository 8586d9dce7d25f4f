/** The Go packages that facts are made from, and what is served of each. */

/** One package of API types. */
export interface ApiPackage {
  /** Import path. */
  readonly path: string;
  /** `GROUP/VERSION` of its fact file under api/builtin; "core" is the group of `v1`. */
  readonly file: string;
  /** Types to keep, with all they refer to; every type of the package when absent. */
  readonly roots?: readonly string[];
}

const api = (folder: string, file: string, roots?: readonly string[]): ApiPackage => ({
  path: `k8s.io/api/${folder}`,
  file,
  ...(roots === undefined ? {} : { roots }),
});

/** In the order the generator reads them. */
export const packages: readonly ApiPackage[] = [
  {
    path: "k8s.io/apimachinery/pkg/apis/meta/v1",
    file: "meta/v1",
    roots: [
      "APIGroup",
      "APIGroupList",
      "APIResourceList",
      "APIVersions",
      "Condition",
      "CreateOptions",
      "DeleteOptions",
      "FieldSelectorRequirement",
      "GetOptions",
      "LabelSelector",
      "ListMeta",
      "ListOptions",
      "ObjectMeta",
      "PartialObjectMetadata",
      "PartialObjectMetadataList",
      "PatchOptions",
      "Status",
      "Table",
      "UpdateOptions",
      "WatchEvent",
    ],
  },
  api("core/v1", "core/v1"),
  api("admissionregistration/v1", "admissionregistration.k8s.io/v1"),
  api("apps/v1", "apps/v1"),
  api("authentication/v1", "authentication.k8s.io/v1"),
  api("authorization/v1", "authorization.k8s.io/v1"),
  api("autoscaling/v1", "autoscaling/v1"),
  api("autoscaling/v2", "autoscaling/v2"),
  api("batch/v1", "batch/v1"),
  api("certificates/v1", "certificates.k8s.io/v1"),
  api("coordination/v1", "coordination.k8s.io/v1"),
  api("discovery/v1", "discovery.k8s.io/v1"),
  api("events/v1", "events.k8s.io/v1"),
  api("flowcontrol/v1", "flowcontrol.apiserver.k8s.io/v1"),
  api("networking/v1", "networking.k8s.io/v1"),
  api("node/v1", "node.k8s.io/v1"),
  api("policy/v1", "policy/v1"),
  api("rbac/v1", "rbac.authorization.k8s.io/v1"),
  api("resource/v1", "resource.k8s.io/v1"),
  api("scheduling/v1", "scheduling.k8s.io/v1"),
  api("storage/v1", "storage.k8s.io/v1"),
  {
    path: "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1",
    file: "apiextensions.k8s.io/v1",
    roots: ["CustomResourceDefinitionList", "ConversionReview"],
  },
];

/** OpenAPI's prefix of a package's type names: `k8s.io/api/core/v1` gives `io.k8s.api.core.v1`. */
export function openApiPrefix(path: string): string {
  const [host = "", ...folders] = path.split("/");
  return [...host.split(".").reverse(), ...folders].join(".");
}
