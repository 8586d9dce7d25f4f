import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import test from "node:test";
import fc from "fast-check";
import { checkHealth } from "./grpc.ts";
import { afterResult, type ProbeState, untried } from "./policy.ts";

const after = (probe: object, results: readonly boolean[]): ProbeState =>
  results.reduce((state, result) => afterResult(probe, state, result), untried);

test("a verdict falls when as many results in a row say so as the probe asks for", () => {
  const probe = { failureThreshold: 3, successThreshold: 2 };
  assert.equal(after(probe, [true]).verdict, undefined);
  assert.equal(after(probe, [true, true]).verdict, true);
  assert.equal(after(probe, [true, true, false, false]).verdict, true);
  assert.equal(after(probe, [true, true, false, false, false]).verdict, false);
  assert.equal(after(probe, [true, true, false, false, true, false, false]).verdict, true);
  assert.equal(after({}, [false, false]).verdict, undefined, "three failures, unless the probe says otherwise");
});

test("the verdict is that of the last run of results that was long enough", () => {
  const thresholds = fc.record({
    failureThreshold: fc.integer({ min: 1, max: 4 }),
    successThreshold: fc.integer({ min: 1, max: 4 }),
  });
  fc.assert(
    fc.property(thresholds, fc.array(fc.boolean()), (probe, results) => {
      let expected: boolean | undefined;
      results.forEach((result, index) => {
        const needed = result ? probe.successThreshold : probe.failureThreshold;
        const row = results.slice(Math.max(index - needed + 1, 0), index + 1);
        if (row.length === needed && row.every((each) => each === result)) expected = result;
      });
      assert.equal(after(probe, results).verdict, expected);
    }),
  );
});

test("checkHealth() asks a gRPC server for the service, and says what it answers", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const service = Buffer.concat(chunks).subarray(7).toString("utf8");
      asked.push(`${request.url} ${service}`);
      response.writeHead(200, { "content-type": "application/grpc" });
      response.addTrailers({ "grpc-status": service === "unknown" ? "12" : "0" });
      response.end(Buffer.from([0, 0, 0, 0, 2, 8, service === "sick" ? 2 : 1]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (service: string) => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    try {
      return await checkHealth(socket, service, AbortSignal.timeout(5000));
    } finally {
      socket.destroy();
    }
  };
  try {
    assert.deepEqual(await ask("shop"), { succeeded: true, output: "service healthy" });
    const sick = { succeeded: false, output: 'service unhealthy (responded with "NOT_SERVING")' };
    assert.deepEqual(await ask("sick"), sick);
    assert.match((await ask("unknown")).output, /does not implement the grpc health protocol/);
    assert.equal(asked[0], "/grpc.health.v1.Health/Check shop");
  } finally {
    server.close();
  }
});
