/**
 * What names, labels and annotations may be. Each check returns the sentences that say what is wrong, none when
 * nothing is. Sentences are the ones kubectl users know.
 * Source: k8s.io/apimachinery/pkg/util/validation/validation.go, k8s.io/apimachinery/pkg/api/validation
 */

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const label1123 = new RegExp(`^${label}$`);
const subdomain1123 = new RegExp(`^${label}(\\.${label})*$`);
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const qualifiedPart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const labelText = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const portName = /^[-a-z0-9]+$/;
const configKey = /^[-._a-zA-Z0-9]+$/;
const cIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Longest names, in bytes. */
export const labelMax = 63;
export const subdomainMax = 253;

function lengthError(max: number): string {
  return `must be no more than ${max} bytes`;
}

function regexError(message: string, pattern: string, ...examples: string[]): string {
  const quoted = examples.map((example) => `'${example}'`).join(",  or ");
  const shown = examples.length === 0 ? "" : `(e.g. ${quoted}, `;
  return `${message} ${shown}${shown === "" ? "(" : ""}regex used for validation is '${pattern}')`;
}

/** A DNS label: `my-name`. */
export function dns1123LabelErrors(value: string): string[] {
  const errors = value.length > labelMax ? [lengthError(labelMax)] : [];
  if (!label1123.test(value)) {
    const message = subdomain1123.test(value)
      ? "must not contain dots"
      : regexError(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          label,
          "my-name",
          "123-abc",
        );
    errors.push(message);
  }
  return errors;
}

/** A DNS subdomain: `example.com`. */
export function dns1123SubdomainErrors(value: string): string[] {
  const errors = value.length > subdomainMax ? [lengthError(subdomainMax)] : [];
  if (!subdomain1123.test(value)) {
    errors.push(
      regexError(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        `${label}(\\.${label})*`,
        "example.com",
      ),
    );
  }
  return errors;
}

/** A DNS label that starts with a letter. */
export function dns1035LabelErrors(value: string): string[] {
  const errors = value.length > labelMax ? [lengthError(labelMax)] : [];
  if (!label1035.test(value)) {
    errors.push(
      regexError(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        "[a-z]([-a-z0-9]*[a-z0-9])?",
        "my-name",
        "abc-123",
      ),
    );
  }
  return errors;
}

/** A wildcard DNS subdomain: `*.example.com`. */
export function wildcardSubdomainErrors(value: string): string[] {
  const pattern = `\\*\\.${label}(\\.${label})*`;
  const errors = value.length > subdomainMax ? [lengthError(subdomainMax)] : [];
  if (!new RegExp(`^${pattern}$`).test(value)) {
    errors.push(
      regexError(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        pattern,
        "*.example.com",
      ),
    );
  }
  return errors;
}

const partRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const partPattern = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/** A label key, annotation key or finalizer: `name` or `example.com/name`. */
export function qualifiedNameErrors(value: string): string[] {
  const errors: string[] = [];
  const parts = value.split("/");
  if (parts.length > 2) {
    return [
      `${regexError(
        `a valid label key or qualified name ${partRule}`,
        partPattern,
        "MyName",
        "my.name",
        "123-abc",
      ).replace(
        "a valid label key or qualified name",
        "a qualified name",
      )} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const [prefix, name = ""] = parts.length === 2 ? [parts[0] ?? "", parts[1]] : [undefined, parts[0]];
  if (prefix === "") errors.push("prefix part must be non-empty");
  else if (prefix !== undefined) errors.push(...dns1123SubdomainErrors(prefix).map((error) => `prefix part ${error}`));
  if (name === "") errors.push("name part must be non-empty");
  else if (name.length > labelMax) errors.push(`name part ${lengthError(labelMax)}`);
  if (!qualifiedPart.test(name)) {
    errors.push(`name part ${regexError(partRule, partPattern, "MyName", "my.name", "123-abc")}`);
  }
  return errors;
}

/** A label's value; may be empty. */
export function labelValueErrors(value: string): string[] {
  const errors = value.length > labelMax ? [lengthError(labelMax)] : [];
  if (!labelText.test(value)) {
    errors.push(
      regexError(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        `(${partPattern})?`,
        "MyValue",
        "my_value",
        "12345",
      ),
    );
  }
  return errors;
}

/** A service or container port's name: at most 15 characters, at least one letter, no two hyphens in a row. */
export function portNameErrors(value: string): string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push("must be no more than 15 characters");
  if (!portName.test(value)) errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) errors.push("must contain at least one letter (a-z)");
  if (value.includes("--")) errors.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) errors.push("must not begin or end with a hyphen");
  return errors;
}

/** A port number. */
export function portNumberErrors(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : ["must be between 1 and 65535, inclusive"];
}

/** An environment variable's name, the relaxed rule: printable ASCII without `=`. */
export function relaxedEnvNameErrors(value: string): string[] {
  if (value === "") return ["environment variable name must be at least one character"];
  return /^[\x20-\x3c\x3e-\x7e]+$/.test(value)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** A key of a ConfigMap or Secret. */
export function configKeyErrors(value: string): string[] {
  const errors = value.length > subdomainMax ? [lengthError(subdomainMax)] : [];
  if (!configKey.test(value)) {
    errors.push(
      regexError(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        "[-._a-zA-Z0-9]+",
        "key.name",
        "KEY_NAME",
        "key-name",
      ),
    );
  }
  errors.push(...dotErrors(value));
  return errors;
}

/** A C identifier. */
export function cIdentifierErrors(value: string): string[] {
  return cIdentifier.test(value)
    ? []
    : [
        regexError(
          "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
          "[A-Za-z_][A-Za-z0-9_]*",
          "my_name",
          "MY_NAME",
          "MyName",
        ),
      ];
}

function dotErrors(value: string): string[] {
  if (value === ".") return [`must not be '.'`];
  if (value === "..") return [`must not be '..'`];
  return value.startsWith("..") ? [`must not start with '..'`] : [];
}

/** A name used as a segment of a path: the rule of kinds with free names (RBAC). */
export function pathSegmentErrors(value: string, prefix: boolean): string[] {
  if (!prefix && (value === "." || value === "..")) return [`may not be '${value}'`];
  return ["/", "%"].filter((bad) => value.includes(bad)).map((bad) => `may not contain '${bad}'`);
}

/** A generateName is checked as the start of a name: one trailing dash is allowed. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

/** Name rules as a Strategy takes them. */
export const nameRules = {
  dnsSubdomain: (name: string, prefix: boolean) => dns1123SubdomainErrors(prefix ? maskTrailingDash(name) : name),
  dnsLabel: (name: string, prefix: boolean) => dns1123LabelErrors(prefix ? maskTrailingDash(name) : name),
  dns1035Label: (name: string, prefix: boolean) => dns1035LabelErrors(prefix ? maskTrailingDash(name) : name),
  pathSegment: (name: string, prefix: boolean) => pathSegmentErrors(name, prefix),
} as const;
