/**
 * Numbers for people: three digits that count, a unit, and never a rounding that claims what was not
 * measured.
 */
import type { Figure, Unit } from '../results.js'

const DIGITS = 3
const SHORT: Readonly<Record<Unit, string>> = {
  'ms': ' ms',
  'us': ' µs',
  'B': ' B',
  'B/s': ' B/s',
  '1/s': '/s',
  'share': ' %',
  'count': '',
  'ratio': ' ×',
  's': ' s',
}

/** `142 µs`, `1.08 ×`, `7,520/s`. */
export function quantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return String(value)
  if (unit === 'share') return percent(value)
  if (unit === 'B' || unit === 'B/s') return bytes(value, SHORT[unit].slice(2))
  return `${number(value)}${SHORT[unit]}`
}

/** The median, and between which rounds it lies: `142 µs (139–151)`. */
export function spread({ median, min, max, unit, rounds }: Figure): string {
  const middle = quantity(median, unit)
  if (rounds.length < 2) return middle
  const [least, most] = [quantity(min, unit), quantity(max, unit)]
  if (least === middle && most === middle) return middle
  const suffix = suffixOf(middle)
  const isOneUnit = [least, most].every((text) => suffixOf(text) === suffix)
  return `${middle} (${isOneUnit ? least.slice(0, least.length - suffix.length) : least}–${
    isOneUnit ? most.slice(0, most.length - suffix.length) : most
  })`
}

/** All that comes after the last digit. */
function suffixOf(text: string): string {
  return /\D*$/.exec(text)?.[0] ?? ''
}

/** All digits, where three would hide the difference. */
export function exact({ median, unit }: Figure): string {
  return unit === 'share' ? `${median * 100} %` : `${median.toLocaleString('en', { maximumFractionDigits: 6 })}${SHORT[unit]}`
}

export function number(value: number): string {
  const digits = Math.max(0, DIGITS - 1 - Math.floor(Math.log10(Math.abs(value) || 1)))
  return value.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 4) })
}

/** Only all is 100 %, and only none is 0 %. */
function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`
  const value = share * 100
  if (value > 0 && value < 0.001) return '< 0.001 %'
  if (value > 99.999 && value < 100) return '> 99.999 %'
  const isNearAnEnd = value < 1 || value > 99
  return `${value.toLocaleString('en', { maximumFractionDigits: isNearAnEnd ? 3 : 1 })} %`
}

const STEPS = [
  { from: 1e9, by: 1e9, name: 'GB' },
  { from: 1e6, by: 1e6, name: 'MB' },
  { from: 1e4, by: 1e3, name: 'KB' },
  { from: -Infinity, by: 1, name: 'B' },
]

function bytes(value: number, suffix: string): string {
  const step = STEPS.find(({ from }) => Math.abs(value) >= from)
  return `${number(value / (step?.by ?? 1))} ${step?.name ?? 'B'}${suffix}`
}

/** `2026-03-14 09:26 UTC`. */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${number(seconds)} s` : `${minutes} min ${Math.round(seconds % 60)} s`
}
