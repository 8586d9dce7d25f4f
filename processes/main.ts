/** The one entry point: finds the command's module and hands it its arguments. */
import { describeCommands, findCommand } from "./commands.ts";
import { resolveOwnModules } from "./resolve.ts";

const usage = 2;

async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...rest] = argv;
  if (name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(`${describeCommands()}\n`);
    return 0;
  }
  const command = findCommand(name);
  if (command === undefined) {
    process.stderr.write(`atoll: there is no command ${JSON.stringify(name)}; ./atoll help lists them\n`);
    return usage;
  }
  resolveOwnModules();
  const { run } = await command.load();
  return await run(rest);
}

// What is secret is given a mode of its own. What machines read as users of their own is not: a stricter umask of root's
// (hardened hosts have 027 or 077) would keep kernels and images from them.
process.umask(0o022);
process.exitCode = await main(process.argv.slice(2));
