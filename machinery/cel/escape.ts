/**
 * Property names as expressions spell them: `foo-bar` is `foo__dash__bar`, `namespace` is `__namespace__`.
 * Source: k8s.io/apiserver/pkg/cel/escaping.go; kubernetes.io "Custom Resources", validation rules
 */

const reserved: ReadonlySet<string> = new Set(
  (
    "true false null in as break const continue else for function if import let loop package namespace return " +
    "var void while"
  ).split(" "),
);

const spellings: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

const spelled: Readonly<Record<string, string>> = { underscores: "__", dot: ".", dash: "-", slash: "/" };

/** Whether CEL keeps `word` for itself. */
export const isReserved = (word: string): boolean => reserved.has(word);

/** The identifier for a property name; undefined when the name has none and so is not visible to expressions. */
export function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  if (reserved.has(name)) return `__${name}__`;
  return name.replace(/__|[./-]/g, (part) => spellings[part] ?? part);
}

/** The property name of an identifier; undefined when it contains an escape that does not exist. */
export function unescapeName(identifier: string): string | undefined {
  if (!identifier.includes("__")) return identifier;
  let known = true;
  const name = identifier.replace(/__([^_]+)__/g, (all, word: string) => {
    const plain = spelled[word];
    if (plain !== undefined) return plain;
    // A reserved word is escaped only when it is the whole name.
    if (!reserved.has(word) || all.length !== identifier.length) known = false;
    return word;
  });
  return known ? name : undefined;
}
