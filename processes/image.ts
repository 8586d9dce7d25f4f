/** `atoll image build | ls | import`: the host's image store. */
import { join, resolve } from "node:path";
import { build, importFile, list } from "@atoll/cli/image";
import { systemClock } from "@atoll/machinery/clock";
import { defaultData } from "./datadir.ts";
import { exitCode, flags, UsageError } from "./flags.ts";

interface Where {
  readonly data: string;
}

interface BuildFlags {
  readonly tag: string;
  readonly file?: string;
  readonly buildArg: readonly string[];
  readonly cache: boolean;
}

const storeOf = ({ data }: Where) => ({ dir: join(resolve(data), "images"), clock: systemClock });
const say = (text: string): void => void process.stdout.write(text);

/** @param args a subcommand and its own */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = flags("atoll image", "The host's image store. Pods use what is in it without pulling.");
    command.action(() => {
      throw new UsageError(command.helpInformation());
    });
    const data = ["--data <dir>", "the data directory of up", defaultData()] as const;
    command
      .command("build <folder>")
      .description("an image from a folder with a Containerfile, without a daemon")
      .requiredOption("-t, --tag <ref>", "name for the image")
      .option("-f, --file <path>", "the Containerfile, when it is not in the folder")
      .option("--build-arg <name=value...>", "values for ARG", [])
      .option("--no-cache", "carry out every instruction, also those whose layers an earlier build made within a day")
      .option(...data)
      .action(async (folder: string, options: Where & BuildFlags) => {
        const { tag: ref, file, buildArg, cache } = options;
        say(await build(storeOf(options), { folder, ref, file, cache, buildArgs: pairs(buildArg) }, say));
      });
    command
      .command("ls")
      .description("every image")
      .option(...data)
      .action(async (options: Where) => say(await list(storeOf(options))));
    command
      .command("import <file>")
      .description("the images of an archive, OCI's or docker's")
      .option("-t, --tag <ref>", "name for the image, in place of the archive's own")
      .option(...data)
      .action(async (file: string, options: Where & { tag?: string }) =>
        say(await importFile(storeOf(options), file, options.tag)),
      );
    await command.parseAsync(args, { from: "user" });
    return 0;
  });
}

function pairs(list: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0) throw new UsageError(`${JSON.stringify(text)} is no NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
