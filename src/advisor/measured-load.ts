/** What a cell of the benchmark measured, as the load that it was. */
import type { Kind } from './kinds.js'
import type { Acks, Load } from './load.js'
import type { RunCell } from './run-file.js'

/** What the sessions of the benchmark's memory question consist of. */
const SHAPES: Readonly<Record<string, { readonly bytes: number; readonly attributes: number }>> = {
  '256B': { bytes: 256, attributes: 1 },
  '1KB': { bytes: 1_000, attributes: 10 },
  '4KB': { bytes: 4_000, attributes: 10 },
}

const US_PER_S = 1_000_000

export function loadOf(cell: RunCell, kind: Kind): Load {
  const { variant, settings, figures } = cell
  const number = (name: string): number => Number(settings[name] ?? 0)
  return {
    sessions: number('sessions'),
    ...sizesOf(cell),
    rate: figures['rate']?.median ?? number('rate'),
    writes: number('writes'),
    nodes: number('nodes'),
    rttMs: 0,
    acks: acksOf(variant, kind),
  }
}

function sizesOf({ settings }: RunCell): Pick<Load, 'bytes' | 'changeBytes'> {
  const shape = SHAPES[String(settings['shape'])]
  if (shape !== undefined) return { bytes: shape.bytes, changeBytes: shape.bytes / shape.attributes }
  return { bytes: Number(settings['sessionBytes'] ?? 0), changeBytes: Number(settings['changeBytes'] ?? 0) }
}

function acksOf(variant: string, { variants }: Kind): Acks {
  return variants[variant] ?? 'async'
}

/** Half of the cores serve, the others make the load: `bench/rig/pinning.ts`. */
export function servingCores(cores: number): number {
  return Math.max(1, Math.floor(cores / 2))
}

/** How busy nodes and Redis together kept the cores that they share, 0 to 1. */
export function busyShare({ figures, settings }: RunCell, cores: number): number {
  const us = (figures['cpuPerRequest']?.median ?? 0) + (figures['redisCpuPerRequest']?.median ?? 0)
  const rate = figures['rate']?.median ?? Number(settings['rate'] ?? 0)
  return (us * rate) / US_PER_S / servingCores(cores)
}

/** Of all nodes that keep sessions, what one has taken for each; undefined where it was not measured. */
export function bytesPerSession({ figures }: RunCell): number | undefined {
  const [own, peers] = [figures['rssPerSession']?.median, figures['rssPerSessionAtPeer']?.median]
  return own === undefined ? undefined : (own + (peers ?? own)) / 2
}

export function isHeldOut({ settings }: RunCell): boolean {
  return settings['heldOut'] === true
}

/** In words, for those who ask where a figure comes from. */
export function nameOf({ question, variant, settings }: RunCell): string {
  const told = Object.entries(settings).filter(([name]) => name !== 'heldOut' && name !== 'changeBytes')
  return [question, variant, ...told.map(([name, value]) => `${name} ${value}`)].join(', ')
}
