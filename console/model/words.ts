/** Names of fields as people say them. */

/** `namespaceSelector` in words: "Namespace selector". */
export function spoken(name: string): string {
  const words = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
