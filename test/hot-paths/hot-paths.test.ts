/** What nearly every request goes through must not become more work unnoticed. No clock: it cannot flake. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations, type OperationName } from './operations.js'
import { requests, type RequestName } from './requests.js'
import { WorkMeter, type Work } from './work.js'

type HotPath = OperationName | RequestName

/**
 * What each comes to (Node 20). A change that makes one dearer says so here, with its reason in the commit; one that
 * makes it much cheaper lowers the number.
 */
const BUDGETS: Readonly<Record<HotPath, Work>> = {
  /** One look-up of a session that is held, with a stamp that is covered. */
  load: { blocks: 60, bytes: 1_870 },
  /** One attribute of ten changes, and its event is handed to the link. */
  commit: { blocks: 170, bytes: 6_230 },
  /** A delta of one event becomes bytes, and the other way round. */
  encode: { blocks: 25, bytes: 2_650 },
  decode: { blocks: 278, bytes: 2_530 },
  /** A peer takes it in. */
  apply: { blocks: 101, bytes: 2_870 },
  /** A value of two objects in an array, to bytes and back. */
  writeValue: { blocks: 157, bytes: 1_155 },
  readValue: { blocks: 167, bytes: 1_320 },
  /** A request on a node of its own that reads one attribute of ten, replaces one, begins a session of ten. */
  readRequest: { blocks: 116, bytes: 5_600 },
  writeRequest: { blocks: 212, bytes: 8_450 },
  createRequest: { blocks: 706, bytes: 25_350 },
}
const NAMES = Object.keys(BUDGETS) as HotPath[]

/** Blocks are the same in every run, bytes nearly. */
const MORE = 1.2
/** Below this the budget no longer guards anything. */
const LESS = 0.5

const meter = new WorkMeter()
let ready: Readonly<Record<HotPath, () => void>>

beforeAll(async () => {
  await meter.open()
  ready = { ...operations(), ...requests() }
})
afterAll(() => meter.close())

/** In words, what is beyond its budget; nothing if all is well. */
function judge(name: HotPath, work: Work): readonly string[] {
  return (['blocks', 'bytes'] as const).flatMap((unit) => {
    const [now, budget] = [work[unit], BUDGETS[name][unit]]
    if (now > budget * MORE) return [`${name} takes ${Math.round(now)} ${unit}, its budget is ${budget}`]
    if (now < budget * LESS) return [`${name} takes only ${Math.round(now)} ${unit}: lower its budget from ${budget}`]
    return []
  })
}

describe('the work of', () => {
  test.each(NAMES)('one %s stays within its budget', async (name) => {
    expect(judge(name, await meter.measure(ready[name]))).toEqual([])
  })
})

describe('work done twice is noticed', () => {
  test.each(NAMES)('%s', async (name) => {
    const twice = (): void => {
      ready[name]()
      ready[name]()
    }

    expect(judge(name, await meter.measure(twice)).join()).toMatch(/takes \d+ blocks, its budget is .*takes \d+ bytes, its/)
  })
})
