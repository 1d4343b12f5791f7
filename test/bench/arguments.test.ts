import { describe, expect, test } from 'vitest'
import { helpText, readArguments, UsageError, type BenchArguments, type Known } from '../../bench/arguments.js'

const known: Known = {
  questions: [
    { name: 'http-cost', title: 'what it costs' },
    { name: 'latency', title: 'how long it takes' },
    { name: 'staleness', title: 'how fresh it is' },
    { name: 'calibration', title: 'for predictions' },
  ],
  variants: [
    { name: 'floor', title: 'Express' },
    { name: 'mesh-async', title: 'replicated' },
  ],
}

const read = (...args: readonly string[]): BenchArguments => {
  const options = readArguments(args, known)
  if (options === 'help') throw new Error('help')
  return options
}

const refusal = (...args: readonly string[]): string => {
  try {
    read(...args)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'nothing was refused'
}

describe('the command line', () => {
  test('without options asks every question in three rounds, but for calibration', () => {
    expect(read()).toMatchObject({
      mode: 'standard',
      only: ['http-cost', 'latency', 'staleness'],
      backends: undefined,
      nodes: undefined,
      rounds: 3,
      seed: 1,
      config: undefined,
      readme: false,
    })
  })

  test('--full asks all of them', () => {
    expect(read('--full')).toMatchObject({ mode: 'full', only: ['http-cost', 'latency', 'staleness', 'calibration'], rounds: 3 })
  })

  test('--quick asks what matters most, once', () => {
    expect(read('--quick')).toMatchObject({ mode: 'quick', only: ['http-cost', 'staleness'], rounds: 1 })
  })

  test('--only says which questions, in the order in which they are asked, whatever the mode', () => {
    expect(read('--quick', '--only', 'latency,http-cost').only).toEqual(['http-cost', 'latency'])
  })

  test('takes lists with blanks, and one number as a list', () => {
    expect(read('--backends', 'mesh-async, floor').backends).toEqual(['floor', 'mesh-async'])
    expect(read('--nodes', '3').nodes).toEqual([3])
    expect(read('--nodes', '1,3').nodes).toEqual([1, 3])
  })

  test('names everything that is wrong with it at once, and what was meant', () => {
    const message = refusal('--only', 'latncy', '--backends', 'mesh-asinc', '--nodes', '0', '--seed', 'x', '--rownds', '2')

    expect(message).toContain('there is no latncy, did you mean latency?')
    expect(message).toContain('there is no mesh-asinc, did you mean mesh-async?')
    expect(message).toContain('--nodes must be whole numbers from 1 to 16')
    expect(message).toContain('--seed must be a whole number from 0 to 4294967295 (got "x")')
    expect(message).toContain('unknown option --rownds, did you mean --rounds?')
  })

  test.each([
    [['--only'], 'value is missing'],
    [['--quick', '--full'], '--quick and --full exclude each other'],
    [['quick'], 'quick is no option'],
    [['--window', '0'], '--window must be a number from 0.05 to 600 (got 0)'],
    [['--rounds', '1.5'], '--rounds must be a whole number from 1 to 100 (got 1.5)'],
  ])('%j is refused: %s', (args, problem) => {
    expect(refusal(...args)).toContain(problem)
  })

  test('--help lists options, questions and variants', () => {
    expect(readArguments(['--help'], known)).toBe('help')
    for (const word of ['--quick', '--config <file>', 'staleness', 'mesh-async']) expect(helpText(known)).toContain(word)
  })
})
