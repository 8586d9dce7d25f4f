/**
 * Makes a Job each time that a CronJob's schedule says.
 * Source: k8s.io/kubernetes/pkg/controller/cronjob
 */
import { CronJob, Job } from "@atoll/client/builtin";
import { isAlreadyExists, isNamespaceTerminating } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import type { Happening } from "@atoll/runtime/events";
import { controllerOf, ownedBy, statusOf } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { messageOf } from "@atoll/runtime/failures";
import type { Plan } from "./plan.ts";
import { plan, referenceTo } from "./plan.ts";

const jobs = ownedBy(Job, CronJob);

/** Keeps CronJobs. */
export const cronJobController: Controller = defineController({
  name: "cronjob-controller",
  for: CronJob,
  reads: [jobs],
  writes: [jobs, statusOf(CronJob)],
  concurrency: 5,
  async reconcile(key, { cache, client, clock, events }) {
    const cronJob = cache.get(CronJob, key);
    if (cronJob === undefined) return settled;
    const mine = cache.list(Job, { owner: cronJob }).filter((job) => controllerOf(job)?.uid === cronJob.metadata.uid);
    const wish = plan(cronJob, mine, clock.nowMs());
    const tell = (happening: Happening) => events.record(cronJob, happening);
    for (const happening of wish.tell) tell(happening);
    for (const job of wish.forget) {
      await client.delete(job, { propagation: "Background" });
      tell({ type: "Normal", reason: "SuccessfulDelete", action: "Delete", note: `Deleted job ${job.metadata.name}` });
    }
    for (const job of wish.replace) {
      await client.delete(job, { propagation: "Background" });
      tell({ type: "Normal", reason: "SuccessfulDelete", action: "Delete", note: `Deleted job ${job.metadata.name}` });
    }
    const made = wish.make === undefined ? undefined : await make(cronJob, wish.make, { client, tell });
    await client.setStatus(cronJob, withMade(wish, made));
    return wish.afterMs === undefined ? settled : again({ afterMs: wish.afterMs });
  },
});

/** Makes the Job of a scheduled time, or finds the one made before whose making was not noted. */
async function make(
  cronJob: CronJob,
  { job }: NonNullable<Plan["make"]>,
  { client, tell }: { client: Reconcile["client"]; tell: (happening: Happening) => void },
): Promise<Job | undefined> {
  try {
    const made = await client.create(Job, job);
    tell({ type: "Normal", reason: "SuccessfulCreate", action: "Create", note: `Created job ${made.metadata.name}` });
    return made;
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    if (isAlreadyExists(error)) {
      const found = await client.get(Job, keyOf(job));
      if (controllerOf(found)?.uid === cronJob.metadata.uid) return found;
    }
    const note = `Error creating job: ${messageOf(error)}`;
    tell({ type: "Warning", reason: "FailedCreate", action: "Create", note });
    throw error;
  }
}

function withMade({ status, make: wanted, replace }: Plan, made: Job | undefined): CronJob["status"] {
  if (made === undefined || wanted === undefined) return status;
  const gone = new Set(replace.map(({ metadata }) => metadata.uid));
  const others = (status.active ?? []).filter(({ uid }) => uid !== made.metadata.uid && !gone.has(uid));
  return { ...status, active: [...others, referenceTo(made)], lastScheduleTime: formatTime(wanted.atMs) };
}
