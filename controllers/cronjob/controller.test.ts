import assert from "node:assert/strict";
import { after } from "node:test";
import { CronJob, Job } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { cronJobController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const labels = { app: "c" };
const template = { metadata: { labels }, spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };

/** A CronJob that is due now and not again for a year, or almost. */
const yearly: Story = {
  controllers: [cronJobController],
  async begin(round) {
    await makeNamespace(client, round);
    const now = new Date(systemClock.nowMs() - 60_000);
    const schedule = `${now.getUTCMinutes()} ${now.getUTCHours()} ${now.getUTCDate()} ${now.getUTCMonth() + 1} *`;
    const spec = {
      schedule,
      jobTemplate: { spec: { template } },
    };
    const made = await client.create(CronJob, { metadata: { name: "c", namespace: round }, spec });
    const lastScheduleTime = formatTime(systemClock.nowMs() - 3_600_000);
    await client.setStatus(CronJob, { object: made, status: { lastScheduleTime } });
  },
  async ended(round) {
    await eventually("its Job is made and noted", async () => {
      const { status } = await client.get(CronJob, toKey(round, "c"));
      return status.active?.length === 1;
    });
  },
  async check(round) {
    const { items } = await client.list(Job, { namespace: round });
    assert.equal(items.length, 1);
    assert.equal(items[0]?.metadata.ownerReferences?.[0]?.name, "c");
    const { status } = await client.get(CronJob, toKey(round, "c"));
    assert.equal(status.active?.[0]?.uid, items[0]?.metadata.uid);
  },
};

testConvergence("CronJobs", harness, { name: "cron", story: yearly, least: 2 });
