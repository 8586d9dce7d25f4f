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
