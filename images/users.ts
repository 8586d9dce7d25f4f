/**
 * Who a container runs as: a user and group by name or number, resolved with the image's own /etc/passwd and /etc/group.
 * Source: moby/sys user.GetExecUser, which runc and containerd use; passwd(5), group(5)
 */
import type { ErofsReader } from "./erofs/reader.ts";
import { ImageRefused } from "./errors.ts";

/** Numbers to run with. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Groups that list the user, in the file's order. */
  readonly additionalGids: readonly number[];
  /** The user's directory, `/` when it has none. */
  readonly home: string;
  /** The user's name; empty for a number that has none. */
  readonly name: string;
}

interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const mostFileBytes = 8 << 20;
const mostId = 2 ** 31 - 1;
const mostGroups = 65_536;

function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= mostId ? value : undefined;
}

function parsePasswd(text: string): PasswdLine[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid, gid, , home = ""] = line.trim().split(":");
    const ids = { uid: number(uid), gid: number(gid) };
    return ids.uid === undefined || ids.gid === undefined || name === ""
      ? []
      : [{ name, uid: ids.uid, gid: ids.gid, home }];
  });
}

function parseGroup(text: string): GroupLine[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , id, members = ""] = line.trim().split(":");
    const gid = number(id);
    return gid === undefined || name === "" ? [] : [{ name, gid, members: members.split(",") }];
  });
}

async function fileText(reader: ErofsReader, path: string): Promise<string> {
  const inode = await reader.find(path);
  if (inode?.kind !== "file") return "";
  return (await reader.contents(inode, mostFileBytes)).toString("utf8");
}

function unknown(what: string, name: string): ImageRefused {
  return new ImageRefused("Unsupported", `${what} ${JSON.stringify(name.slice(0, 100))} is not in the image's files`);
}

function findUser(lines: readonly PasswdLine[], wanted: string): PasswdLine {
  const uid = number(wanted);
  const byName = lines.find(({ name }) => name === wanted);
  const byNumber = uid === undefined ? undefined : lines.find((line) => line.uid === uid);
  const found = byName ?? byNumber;
  if (found !== undefined) return found;
  if (uid === undefined) throw unknown("user", wanted);
  return { name: "", uid, gid: 0, home: "/" };
}

function findGroup(lines: readonly GroupLine[], wanted: string): number {
  const gid = number(wanted);
  const found = lines.find(({ name }) => name === wanted)?.gid ?? gid;
  if (found === undefined) throw unknown("group", wanted);
  return found;
}

/**
 * @param user as in an image's config or given by a Pod: empty for root, `name`, `uid`, with `:group` or `:gid`
 * @throws {ImageRefused} Unsupported: a name the image does not know; LimitExceeded: its files are too large to be true
 */
export async function resolveUser(reader: ErofsReader, user: string): Promise<ResolvedUser> {
  const [wanted = "", group = ""] = user.split(":", 2);
  const passwd = parsePasswd(await fileText(reader, "etc/passwd"));
  const groups = parseGroup(await fileText(reader, "etc/group"));
  const found = findUser(passwd, wanted === "" ? "0" : wanted);
  const gid = group === "" ? found.gid : findGroup(groups, group);
  // With a group of the caller's own choice the user's others do not count, as elsewhere.
  const listed = group === "" && found.name !== "" ? groups.filter(({ members }) => members.includes(found.name)) : [];
  const additionalGids = [...new Set(listed.map((line) => line.gid))].slice(0, mostGroups);
  return { uid: found.uid, gid, additionalGids, home: found.home === "" ? "/" : found.home, name: found.name };
}
