/**
 * Debian packages that images need on the host, and what for. Installed by root with
 * `apt-get install --no-install-recommends`. Pulling and running images needs none beyond what every Debian has.
 */

/** One Debian package. `needed` says when it must be there. */
export interface HostPackage {
  readonly name: string;
  readonly needed: "run" | "build" | "test";
  readonly why: string;
}

/** Every Debian package images/ uses. */
const packages: readonly HostPackage[] = [
  {
    name: "util-linux",
    needed: "run",
    why: "prlimit, unshare and setpriv confine the conversion worker; on every Debian",
  },
  { name: "buildah", needed: "build", why: "builds images from Containerfiles, without a daemon" },
  { name: "mmdebstrap", needed: "build", why: "makes the debian:SUITE base images from the host's mirrors" },
  { name: "debian-archive-keyring", needed: "build", why: "the keys that Debian's releases are signed with" },
  { name: "erofs-utils", needed: "test", why: "fsck.erofs: a second opinion on the images written" },
  { name: "attr", needed: "test", why: "getfattr: extended attributes as the kernel sees them" },
  { name: "docker-registry", needed: "test", why: "the registry that images are pulled from" },
  { name: "skopeo", needed: "test", why: "pushes images to it, and pulls from ours" },
];

/** Names to hand to apt-get for the given uses. */
export function packagesFor(...uses: readonly HostPackage["needed"][]): readonly string[] {
  return packages.filter((each) => uses.includes(each.needed)).map((each) => each.name);
}
