/**
 * `node tools/cis.ts DATA`: examines a running server by the items of the CIS Kubernetes Benchmark that a program can
 * check. DATA is the server's data directory; whoever runs this owns it.
 */
import { examine } from "./cis/examine.ts";

async function main([data]: readonly string[]): Promise<number> {
  if (data === undefined) {
    process.stderr.write("usage: node tools/cis.ts DATA\n");
    return 2;
  }
  const findings = await examine(data);
  for (const { ids, title, wrong } of findings) {
    process.stdout.write(
      `${wrong === undefined ? "pass" : "FAIL"} ${ids.join(" ")}  ${title}${wrong === undefined ? "" : `: ${wrong}`}\n`,
    );
  }
  return findings.some(({ wrong }) => wrong !== undefined) ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
