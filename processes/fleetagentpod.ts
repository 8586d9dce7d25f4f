/** The fleet agent as its image runs it: packed into one file, with Node's own flags already given. */
import { keepCluster } from "./fleetagentrun.ts";

process.exitCode = await keepCluster(process.argv.slice(2));
