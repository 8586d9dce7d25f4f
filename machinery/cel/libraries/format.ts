/**
 * Named formats: `format.dns1123Label().validate(name)` is none when the text fits, else what is wrong with it.
 * Source: k8s.io/apiserver/pkg/cel/library/format.go; k8s.io/kube-openapi/pkg/validation/strfmt (uuid, byte, date, datetime)
 */
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  maskTrailingDash,
  qualifiedNameErrors,
} from "../../names.ts";
import { ArrayList } from "../containers.ts";
import { type CallCost, characterCost, fixedCost, patternCost, ranges, scaled, sizeOf } from "../cost.ts";
import { global, method } from "../define.ts";
import { parseUrl, UrlError } from "../go-url.ts";
import type { Library } from "../library.ts";
import { Boxed, unbox } from "../opaque.ts";
import { parseDate } from "../time.ts";
import { listOf, opaqueType, optionalOf, stringType } from "../types.ts";
import { noneOptional, OptionalValue, type Value } from "../values.ts";

const formatType = opaqueType("kubernetes.NamedFormat");

interface Format {
  readonly check: (text: string) => readonly string[];
  /** Length of the pattern that its cost reckons with. */
  readonly patternLength: number;
}

const asPrefix =
  (check: (text: string) => readonly string[]) =>
  (text: string): readonly string[] =>
    check(maskTrailingDash(text));

/** Says `fault` of what does not pass. */
const unless =
  (passes: (text: string) => boolean, fault: string) =>
  (text: string): readonly string[] =>
    passes(text) ? [] : [fault];

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;
const timeOfDay = /^\d\d:\d\d:\d\d(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/;

function isDateTime(text: string): boolean {
  const [date = "", time = ""] = text.toLowerCase().split("t");
  return parseDate(date) !== undefined && timeOfDay.test(time);
}

function uriErrors(text: string): readonly string[] {
  try {
    parseUrl(text);
    return [];
  } catch (fault) {
    if (fault instanceof UrlError) return [fault.message];
    throw fault;
  }
}

const dateTimePatternLength = 71;

const formats: Readonly<Record<string, Format>> = {
  dns1123Label: { check: dns1123LabelErrors, patternLength: 30 },
  dns1123Subdomain: { check: dns1123SubdomainErrors, patternLength: 60 },
  dns1035Label: { check: dns1035LabelErrors, patternLength: 30 },
  qualifiedName: { check: qualifiedNameErrors, patternLength: 60 },
  dns1123LabelPrefix: { check: asPrefix(dns1123LabelErrors), patternLength: 30 },
  dns1123SubdomainPrefix: { check: asPrefix(dns1123SubdomainErrors), patternLength: 60 },
  dns1035LabelPrefix: { check: asPrefix(dns1035LabelErrors), patternLength: 30 },
  labelValue: { check: labelValueErrors, patternLength: 40 },
  uri: { check: uriErrors, patternLength: 1_103 },
  uuid: { check: unless((text) => uuid.test(text), "does not match the UUID format"), patternLength: 70 },
  byte: { check: unless((text) => base64.test(text), "invalid base64"), patternLength: 84 },
  date: {
    check: unless((text) => parseDate(text) !== undefined, "invalid date"),
    patternLength: dateTimePatternLength,
  },
  datetime: { check: unless(isDateTime, "invalid datetime"), patternLength: dateTimePatternLength },
};

const longestPattern = 128;

const validateCost: CallCost = {
  run(args, _result, sizes) {
    const { patternLength } = unbox<Format>(args[0]);
    return scaled(1 + sizeOf(args[1], sizes), characterCost) * scaled(patternLength, patternCost);
  },
  estimate: (site) => ({
    cost: ranges.scale(ranges.scale(site.size(1), characterCost), longestPattern * patternCost),
  }),
};

const box = (name: string, format: Format): Value => new Boxed(formatType, format, { key: name });

function validate([format, text]: readonly Value[]): Value {
  const errors = unbox<Format>(format).check(text as string);
  return errors.length === 0 ? noneOptional : new OptionalValue(new ArrayList(errors));
}

const named = Object.entries(formats).map(([name, format]) => {
  const value = box(name, format);
  return [`format.${name}`, [global(`format.${name}`, { of: [], to: formatType }, () => value)]] as const;
});

/** Named formats. */
export const format: Library = {
  name: "kubernetes.format",
  functions: {
    ...Object.fromEntries(named),
    "format.named": [
      global("format-named", { of: [stringType], to: optionalOf(formatType), cost: fixedCost(1) }, ([name]) => {
        const found = Object.hasOwn(formats, name as string) ? formats[name as string] : undefined;
        return found === undefined ? noneOptional : new OptionalValue(box(name as string, found));
      }),
    ],
    validate: [
      method(
        "format-validate",
        { of: [formatType, stringType], to: optionalOf(listOf(stringType)), cost: validateCost },
        validate,
      ),
    ],
  },
};
