/** What the report consists of, before anybody decides how it looks. */
import type { Mark, Unit } from '../results.js'
import type { Colour, Line } from './names.js'

/** One question with its answers. */
export interface Section {
  readonly id: string
  readonly title: string
  /** The same in a word or two. */
  readonly short: string
  /** What is asked, and how to read the answer. */
  readonly lead: string
  /** What the figures of this run say; empty when there are none. */
  readonly findings: readonly string[]
  readonly bars: readonly Bars[]
  readonly plots: readonly Plot[]
  readonly tables: readonly Table[]
  /** Of what is drawn already: shown to those who ask. */
  readonly folded?: readonly Table[]
  readonly heatMaps?: readonly HeatMap[]
  /** What to run, when this run has nothing to show here. */
  readonly missing?: string
}

/** A winner for every place of a table. */
export interface HeatMap {
  readonly title: string
  readonly columnsTitle: string
  readonly rowsTitle: string
  readonly columns: readonly string[]
  readonly rows: readonly { readonly title: string; readonly cells: readonly HeatMapCell[] }[]
  readonly key: readonly { readonly text: string; readonly colour: Colour; readonly sign: string }[]
}

export interface HeatMapCell {
  readonly winner: string
  /** The same as one character, where there is little room. */
  readonly sign: string
  /** By how much it wins. */
  readonly margin: string
  /** The same in words. */
  readonly label: string
  readonly colour: Colour
  readonly isClose: boolean
}

/** Lengths side by side, in groups; the longest fills its place. */
export interface Bars {
  readonly title: string
  readonly groups: readonly { readonly title: string; readonly bars: readonly Bar[] }[]
}

export interface Bar {
  readonly label: string
  readonly colour: Colour
  readonly line: Line
  readonly value: number
  readonly text: string
  readonly marks: readonly Mark[]
}

export interface Plot {
  readonly id: string
  readonly title: string
  /** One sentence for those who cannot see it. */
  readonly summary: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
  /** Places worth a line from top to bottom. */
  readonly crossings: readonly Crossing[]
  readonly table: Table
}

export interface Axis {
  readonly label: string
  readonly unit: Unit | ''
  /** `from-zero`: logarithmic, but 0 has its place. */
  readonly scale: 'linear' | 'logarithmic' | 'from-zero'
  /** Ends of the axis where they are known beforehand. */
  readonly min?: number
  readonly max?: number
}

export interface Series {
  readonly label: string
  readonly colour: Colour
  readonly line: Line
  /** `dots`: no line between the points. `line`: no points on the line. */
  readonly drawn: 'both' | 'line' | 'dots'
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Crossing {
  readonly x: number
  readonly label: string
}

export interface Table {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly Row[]
}

export interface Row {
  readonly cells: readonly string[]
  readonly marks: readonly Mark[]
  /** Sentences about it, which stand below the table. */
  readonly notes: readonly string[]
}

/** Where a table has nothing to say: not measured there, or there is no such thing. */
export const NONE = '–'

/** What is noted of any of the rows, each thing once; a row refers to it by its number, from 1. */
export function remarksOf({ rows }: Table): readonly string[] {
  return [...new Set(rows.flatMap(({ notes }) => notes))]
}

export function hasPoints({ series }: Plot): boolean {
  return series.some(({ points }) => points.length > 0)
}
