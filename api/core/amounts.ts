/** Amounts of resources, as they are stored. Source: k8s.io/kubernetes/pkg/apis/core/v1/defaults.go (SetDefaults_ResourceList) */
import { formatQuantity, parseQuantity } from "@atoll/machinery/quantity";

const milliScale = -3;
const fine = /[nu]$|\.\d{4}|[eE]-/;

/** Rounds away from zero what is finer than a thousandth. */
export function roundAmounts(amounts: Record<string, string> | undefined): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    if (amounts === undefined || !fine.test(amount)) continue;
    const { value, scale, format } = parseQuantity(amount);
    if (scale >= milliScale) continue;
    const divisor = 10n ** BigInt(milliScale - scale);
    const exact = value % divisor === 0n;
    const away = value < 0n ? -1n : 1n;
    amounts[name] = formatQuantity({ value: value / divisor + (exact ? 0n : away), scale: milliScale, format });
  }
}
