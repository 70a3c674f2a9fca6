/** A number and its unit. */
export type Quantity = readonly [value: string, unit: string];

export function rate(kbps: number): Quantity {
  return scaled(kbps, ["kbps", "Mbps", "Gbps"]);
}

export function bytes(count: number): Quantity {
  return scaled(count, ["B", "kB", "MB", "GB", "TB"]);
}

/** @param share 1 is all. */
export function percent(share: number): string {
  return (share * 100).toFixed(share < 0.1 ? 1 : 0);
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function scaled(count: number, units: readonly string[]): Quantity {
  let value = count;
  let index = 0;
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return [value.toFixed(index === 0 || value >= 100 ? 0 : 1), units[index] ?? ""];
}
