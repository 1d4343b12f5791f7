import type { Estimate, Prediction } from './predict.js'

/** One number for what a candidate takes up: cores, and memory as if so many bytes cost as much as a core. */
export interface Cost {
  readonly value: number
  readonly low: number
  readonly high: number
}

const NOTHING = { value: 0, low: 0, high: 0 }

/** Of nodes and store together. Memory that was not measured is left out. */
export function costOf(prediction: Prediction, nodes: number, bytesPerCore: number): Cost {
  const { cpu, storeCpu, memory, storeMemory } = prediction
  return sum([cpu, storeCpu ?? NOTHING, scaled(memory, nodes / bytesPerCore), scaled(storeMemory, 1 / bytesPerCore)])
}

function scaled(estimate: Estimate | undefined, by: number): Cost {
  if (estimate === undefined) return NOTHING
  return { value: estimate.value * by, low: estimate.low * by, high: estimate.high * by }
}

function sum(costs: readonly Cost[]): Cost {
  const of = (side: keyof Cost): number => costs.reduce((all, cost) => all + cost[side], 0)
  return { value: of('value'), low: of('low'), high: of('high') }
}
