import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Patience, within } from '../../src/backend/patience.js'

describe('patience', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))

  it('lasts as long as was said, and until connections were read once more', async () => {
    const late = vi.fn()
    const patience = new Patience(100, late)

    vi.advanceTimersByTime(99)
    await turn()
    expect(late).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(late).not.toHaveBeenCalled()
    await turn()
    expect(late).toHaveBeenCalledOnce()
    patience.end()
  })

  it.each([50, 100])('ends with the answer, after %d of 100 milliseconds', async (ms) => {
    const late = vi.fn()
    const patience = new Patience(100, late)

    vi.advanceTimersByTime(ms)
    patience.end()

    vi.advanceTimersByTime(1_000)
    await turn()
    expect(late).not.toHaveBeenCalled()
  })
})

it('what came while the process was held up is an answer in time', async () => {
  const answer = new Promise<string>((resolve) => setTimeout(resolve, 30, 'there'))

  const held = within(20, answer, () => new Error('late'))
  const until = performance.now() + 60
  while (performance.now() < until);

  expect(await held).toBe('there')
})

it('what does not come is late', async () => {
  await expect(within(20, new Promise(() => {}), () => new Error('late'))).rejects.toThrow('late')
})
