/** What runs in a pod, or would in the pods of a workload; and which conditions mean trouble. */
import type { Tone } from "@atoll/portal/view/tones";
import { spellBytes } from "./amount.ts";
import type { AnyObject } from "./object.ts";

/** One container, in words. */
export interface Container {
  readonly name: string;
  readonly image: string;
  /** "" where none runs yet, as in a template. */
  readonly state: string;
  readonly restarts: number;
  readonly ports: string;
  readonly requests: string;
  readonly limits: string;
}

type Amounts = Readonly<Record<string, string>>;

/** Source: k8s.io/api/core/v1 Container */
interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly { readonly containerPort: number; readonly protocol?: string; readonly name?: string }[];
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts };
}

interface PodSpec {
  readonly containers?: readonly ContainerSpec[];
  readonly initContainers?: readonly ContainerSpec[];
}

/** Source: k8s.io/api/core/v1 ContainerStatus */
interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: Readonly<Record<string, { readonly reason?: string } | undefined>>;
}

/** The containers of a pod, or of a template of pods, those first that run first. */
export function containersOf({ spec = {}, status = {} }: AnyObject): readonly Container[] {
  const template = (spec["template"] ?? (spec["jobTemplate"] as Nested | undefined)?.spec?.template) as
    | Nested
    | undefined;
  const { initContainers = [], containers = [] } = (template?.spec ?? spec) as PodSpec;
  if (!Array.isArray(containers)) return [];
  const told = [status["initContainerStatuses"], status["containerStatuses"]].flat() as (ContainerStatus | undefined)[];
  return [...initContainers, ...containers].map((each) =>
    containerOf(
      each,
      told.find((one) => one?.name === each.name),
    ),
  );
}

interface Nested {
  readonly spec?: PodSpec & { readonly template?: Nested };
}

function containerOf({ name, image = "", ports = [], resources }: ContainerSpec, told?: ContainerStatus): Container {
  const [phase = "", detail] = Object.entries(told?.state ?? {})[0] ?? [];
  return {
    name,
    image,
    state: detail?.reason ?? phase.charAt(0).toUpperCase() + phase.slice(1),
    restarts: told?.restartCount ?? 0,
    ports: ports.map(({ containerPort, protocol = "TCP" }) => `${containerPort}/${protocol}`).join(", "),
    requests: amounts(resources?.requests),
    limits: amounts(resources?.limits),
  };
}

const amounts = (given: Amounts = {}): string =>
  Object.entries(given)
    .map(([name, value]) => {
      if (name === "cpu") return `CPU ${value}`;
      return `${name} ${/memory|storage|hugepages/.test(name) ? spellBytes(value) : value}`;
    })
    .join(", ");

const badWhenTrue = /Pressure|Unavailable|Fail|Degraded|Stalled|Disruption|Violat/;
const badWhenFalse =
  /Ready|Available|Progressing|Initialized|Scheduled|Established|Accepted|Programmed|Healthy|Synced|Applied/;

/** Of some conditions "False" means trouble, of some "True" does. */
export function toneOfCondition(type: string, status: string): Tone {
  if (status === "Unknown") return "warn";
  const isTrue = status === "True";
  if (badWhenTrue.test(type)) return isTrue ? "warn" : "good";
  if (isTrue) return "good";
  return badWhenFalse.test(type) ? "warn" : "plain";
}
