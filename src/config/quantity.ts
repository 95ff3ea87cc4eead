/** Unit to its size in the base unit. */
type Units = Readonly<Record<string, number>>;

const durationUnits: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const byteUnits: Units = {
  B: 1,
  kB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/** `500ms`, `2s`, `1.5h`, `4d` in milliseconds; `null`: no duration. A number without a unit is none, except 0. */
export function parseDurationMs(text: string): number | null {
  return text.trim() === '0' ? 0 : parseQuantity(text, durationUnits);
}

/** `65536`, `64KiB`, `1MB` in bytes; `null`: no size. */
export function parseBytes(text: string): number | null {
  return parseQuantity(/^\d+$/.test(text.trim()) ? `${text.trim()}B` : text, byteUnits);
}

/** The shortest text that `parseDurationMs` reads as this. */
export function formatDurationMs(milliseconds: number): string {
  return milliseconds === 0 ? '0' : formatQuantity(milliseconds, durationUnits);
}

/** The shortest text that `parseBytes` reads as this. */
export function formatBytes(bytes: number): string {
  return formatQuantity(bytes, { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 });
}

function parseQuantity(text: string, units: Units): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text.trim());
  const unit = match?.[2];
  if (unit === undefined || !Object.hasOwn(units, unit)) return null;
  const amount = Number(match?.[1]) * (units[unit] ?? Number.NaN);
  return Number.isSafeInteger(amount) ? amount : null;
}

function formatQuantity(amount: number, units: Units): string {
  const [unit, size] = Object.entries(units).reduce((best, candidate) =>
    amount > 0 && amount % candidate[1] === 0 && candidate[1] > best[1] ? candidate : best,
  );
  return `${amount / size}${unit}`;
}
