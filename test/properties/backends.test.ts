import { describe, it } from 'vitest'
import { playAll } from './plain-model.js'
import { BACKENDS } from './played-backends.js'

const SEQUENCES = Number(process.env['SEQUENCES'] ?? 1_000)

describe('every backend means the same', () => {
  it.each(Object.entries(BACKENDS))(`%s, in ${SEQUENCES} sequences of commands`, async (_name, open) => {
    const { played, atOnce, close } = await open()
    await playAll(played, SEQUENCES, atOnce)
    await close()
  })
})
