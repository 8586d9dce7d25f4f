/** Which words of the API mean well, which mean trouble. One table, for every kind. */

/** How a state is to be felt. */
export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

const words: Readonly<Record<Exclude<Tone, "plain">, readonly string[]>> = {
  good: [
    "Running",
    "Ready",
    "Active",
    "Bound",
    "Complete",
    "Completed",
    "Succeeded",
    "Available",
    "Applied",
    "True",
    "Normal",
    "Healthy",
  ],
  busy: [
    "Pending",
    "ContainerCreating",
    "PodInitializing",
    "Progressing",
    "Attaching",
    "Provisioning",
    "Released",
    "SchedulingGated",
  ],
  warn: ["Terminating", "Unknown", "NotReady", "Warning", "Suspended", "Disconnected", "Unsupported", "Detaching"],
  bad: [
    "Failed",
    "Error",
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "OOMKilled",
    "Evicted",
    "Lost",
    "CreateContainerConfigError",
    "InvalidImageName",
    "Unreachable",
    "Revoked",
    "FailureTarget",
  ],
};

const tones = new Map(
  Object.entries(words).flatMap(([tone, list]) => list.map((word): [string, Tone] => [word, tone as Tone])),
);

/** The tone of a word as the API spells it; of several, as `Ready,SchedulingDisabled`, the most worrying. */
export function toneOf(word: string): Tone {
  const known = word
    .split(/[,:]/)
    .map((each) => tones.get(each) ?? (/Error|BackOff|Failed/.test(each) ? "bad" : "plain"));
  for (const tone of ["bad", "warn", "busy", "good"] as const) if (known.includes(tone)) return tone;
  return word.includes("SchedulingDisabled") ? "warn" : "plain";
}
