/**
 * How what was measured is called for readers, and how it is drawn. A variant that is not here (somebody's
 * own configuration) keeps its name and is drawn in grey: nothing is left out because nobody named it.
 */
import type { Cell, QuestionName } from '../results.js'
import { VARIANTS } from '../variants.js'
import { number } from './format.js'

/** Names of variants that the report speaks of itself. */
export const Variant = {
  floor: 'floor',
  rawHttp: 'raw-http',
  esMemory: 'es-memory',
  esMemorystore: 'es-memorystore',
  esConnectRedis: 'es-connect-redis',
  memory: 'mesh-memory',
  async: 'mesh-async',
  one: 'mesh-one',
  quorum: 'mesh-quorum',
  all: 'mesh-all',
  redis: 'mesh-redis',
  tieredBehind: 'mesh-tiered-behind',
  tieredCache: 'mesh-tiered-cache',
  storeMemory: 'store-memory',
  storeMesh: 'store-mesh',
} as const

/**
 * A colour of the palette that the style sheet has twice, and one of the line styles that tell without
 * colours.
 */
export type Colour = 'blue' | 'sky' | 'green' | 'orange' | 'amber' | 'purple' | 'grey'
export type Line = 'solid' | 'dashed' | 'dotted'

export interface Look {
  readonly label: string
  readonly colour: Colour
  readonly line: Line
}

const LOOKS: Readonly<Record<string, Omit<Look, 'label'>>> = {
  [Variant.floor]: { colour: 'grey', line: 'dotted' },
  [Variant.rawHttp]: { colour: 'grey', line: 'dashed' },
  [Variant.esMemory]: { colour: 'purple', line: 'solid' },
  [Variant.esMemorystore]: { colour: 'purple', line: 'dashed' },
  [Variant.esConnectRedis]: { colour: 'amber', line: 'solid' },
  [Variant.memory]: { colour: 'green', line: 'solid' },
  [Variant.async]: { colour: 'blue', line: 'solid' },
  [Variant.one]: { colour: 'blue', line: 'dashed' },
  [Variant.quorum]: { colour: 'sky', line: 'solid' },
  [Variant.all]: { colour: 'sky', line: 'dashed' },
  [Variant.redis]: { colour: 'orange', line: 'solid' },
  [Variant.tieredBehind]: { colour: 'green', line: 'dashed' },
  [Variant.tieredCache]: { colour: 'orange', line: 'dashed' },
  [Variant.storeMemory]: { colour: 'green', line: 'dotted' },
  yours: { colour: 'sky', line: 'solid' },
  [Variant.storeMesh]: { colour: 'blue', line: 'dotted' },
}

export function lookOf(variant: string): Look {
  const { colour, line } = LOOKS[variant] ?? { colour: 'grey', line: 'solid' }
  return { label: labelOf(variant), colour, line }
}

export function labelOf(variant: string): string {
  if (variant === 'yours') return 'your cluster.config'
  return VARIANTS.find(({ name }) => name === variant)?.title ?? variant
}

/** In the order in which variants are listed, then the others as they come. */
export function byOrder(a: string, b: string): number {
  return rankOf(a) - rankOf(b)
}

const ORDER = VARIANTS.map(({ name }) => name)

function rankOf(variant: string): number {
  const rank = ORDER.indexOf(variant)
  return rank === -1 ? ORDER.length : rank
}

/** What puts a question to the machine. */
export function commandFor(...questions: readonly QuestionName[]): string {
  return `npm run bench -- --only ${questions.join(',')}`
}

const SETTINGS: Readonly<Record<string, (value: string | number | boolean) => string>> = {
  workload: (value) => WORKLOADS[String(value)] ?? String(value),
  nodes: (value) => (value === 1 ? '1 node' : `${value} nodes`),
  delayMs: (value) => `${value} ms of network`,
  rate: (value) => `${Number(value).toLocaleString('en')} requests/s`,
  acks: (value) => `acks ${value}`,
  stamps: (value) => (value === true || value === 'on' ? 'stamps' : 'no stamps'),
  sessions: (value) => `${Number(value).toLocaleString('en')} sessions`,
  sessionBytes: (value) => `session of ${Number(value).toLocaleString('en')} B`,
  shape: (value) => `of ${shapeInWords(value)}`,
  trials: (value) => `${Number(value).toLocaleString('en')} tries`,
  bytes: (value) => `${Number(value).toLocaleString('en')} B each`,
  writes: (value) => `${number(Number(value) * 100)} % writes`,
  changeBytes: (value) => `${Number(value).toLocaleString('en')} B changed`,
  heldOut: (value) => (value === true ? 'held out' : 'fitted'),
}

/** Figures whose names say too little without the camels. */
const FIGURES: Readonly<Record<string, string>> = { p50: 'median', p99: '99 %', p999: '99.9 %' }

/** The name of a figure, for a table that has all of them: `cpuPerRequest` is told as `cpu per request`. */
export function figureInWords(name: string): string {
  return FIGURES[name] ?? name.replace(/(?<=[a-z])(?=[A-Z0-9])/g, ' ').toLowerCase().replace('cpu', 'CPU')
}

const WORKLOADS: Readonly<Record<string, string>> = {
  R: 'reads',
  W: 'writes',
  M: '90 % reads',
  C: 'new sessions',
}

/** `256B` as people write it. */
export function shapeInWords(shape: string | number | boolean): string {
  return String(shape).replace(/(\d)([KM]?B)$/, '$1 $2')
}

/** `3 nodes, writes`: what was held constant, in words. */
export function settingsInWords(settings: Cell['settings']): string {
  return Object.entries(settings)
    .map(([name, value]) => SETTINGS[name]?.(value) ?? `${name} ${value}`)
    .join(', ')
}
