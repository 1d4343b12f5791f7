/** A length of time: milliseconds, text such as '250ms', '30s', '30m', '12h', '30d', or Infinity for never. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** Milliseconds of each unit, longest first. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
])

const TEXT = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/

/** Milliseconds of a duration, or undefined when it is none. Ranges are the caller's. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value
  if (typeof value !== 'string') return undefined
  const [, amount = '', unit = ''] = TEXT.exec(value) ?? []
  const unitMs = UNITS.get(unit)
  return unitMs === undefined ? undefined : Number(amount) * unitMs
}

/** The shortest exact text of a duration, such as '90s' or '30m'. */
export function formatDuration(ms: number): string {
  if (ms === Infinity) return 'never'
  for (const [unit, unitMs] of UNITS) if (ms !== 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`
  return `${ms}ms`
}
