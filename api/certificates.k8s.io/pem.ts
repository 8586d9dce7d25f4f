/**
 * PEM and as much of DER as tells a certificate request from other things. Signatures are not verified here: this
 * layer has no cryptography.
 * Source: RFC 7468, RFC 2986 section 4
 */

const sequence = 0x30;
const bitString = 0x03;
const integer = 0x02;

/** The bytes of a block of text that is base64 of PEM; undefined when there is none of the type. */
export function pemBlock(base64: string, type: string): Uint8Array | undefined {
  const pem = bytesOf(base64);
  if (pem === undefined) return undefined;
  const text = new TextDecoder("latin1").decode(pem);
  const body = new RegExp(`^-----BEGIN ${type}-----\\r?\\n([\\s\\S]*?)-----END ${type}-----`, "m").exec(text)?.[1];
  return body === undefined ? undefined : bytesOf(body.replace(/\s+/g, ""));
}

/** What is wrong with a request in base64 of PEM. Source: ParseCSR */
export function requestProblem(base64: string): string | undefined {
  const der = pemBlock(base64, "CERTIFICATE REQUEST");
  if (der === undefined) return "PEM block type must be CERTIFICATE REQUEST";
  const whole = read(der, 0);
  if (whole === undefined || whole.tag !== sequence || whole.end !== der.length)
    return "x509: malformed certificate request";
  const parts = children(der, whole);
  const [info, algorithm, signature] = parts;
  const fits = info?.tag === sequence && algorithm?.tag === sequence && signature?.tag === bitString;
  if (!fits || parts.length !== 3 || info === undefined) return "x509: malformed certificate request";
  return children(der, info)[0]?.tag === integer ? undefined : "x509: malformed certificate request";
}

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** One element of DER. Source: X.690 section 8.1 */
function read(der: Uint8Array, at: number): Element | undefined {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) return undefined;
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (der[at + 2 + i] ?? 0);
  const start = at + 2 + lengthBytes;
  return start + length > der.length ? undefined : { tag, start, end: start + length };
}

function children(der: Uint8Array, parent: Element): Element[] {
  const found: Element[] = [];
  for (let at = parent.start; at < parent.end; ) {
    const element = read(der, at);
    if (element === undefined || element.end > parent.end) return [];
    found.push(element);
    at = element.end;
  }
  return found;
}

function bytesOf(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
