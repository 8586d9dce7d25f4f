/** Names of fields as people say them. */

/** `namespaceSelector` in words: "Namespace selector". */
export function spoken(name: string): string {
  // Short forms, as podIP and clusterIPs, stay as they are.
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll(/(?<![A-Z])[A-Z](?![A-Z])/g, (letter) => letter.toLowerCase());
  if (words === "cpu") return "CPU";
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Several of a kind as people say it, by its plural: "CertificateRequest", "certificaterequests" are "Certificate requests". */
export function spokenKind(kind: string, plural: string): string {
  const lower = kind.toLowerCase();
  let same = 0;
  while (same < lower.length && lower[same] === plural[same]) same++;
  const isFar = same < lower.length - 2;
  return isFar ? spoken(plural) : spoken(kind.slice(0, same)) + plural.slice(same);
}

const digestLetters = 12;

/** Images with their digests cut to what tells them apart. */
export const shortImages = (text: string): string =>
  text.replaceAll(
    /@(sha\d+):([0-9a-f]+)/g,
    (_, kind: string, digest: string) => `@${kind}:${digest.slice(0, digestLetters)}…`,
  );
