import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../../src/errors.js'
import { SEAL_BYTES } from '../../src/transport/limits.js'
import { FrameOpener, FrameSealer } from '../../src/transport/seal.js'

const KEY = randomBytes(32)
const MESSAGE = Buffer.from('one message of a peer')

function outcome(opener: FrameOpener, frame: Uint8Array): string {
  try {
    return Buffer.from(opener.open(frame)).toString()
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.rule} ${error.closeCode}`
    throw error
  }
}

describe('sealed frames', () => {
  it('come out as they went in, and cost 22 bytes each', () => {
    const sealer = new FrameSealer(KEY)
    const opener = new FrameOpener(KEY)

    for (let i = 0; i < 3; i++) {
      const frame = sealer.seal(MESSAGE)
      expect(frame.length).toBe(MESSAGE.length + SEAL_BYTES)
      expect(outcome(opener, frame)).toBe(MESSAGE.toString())
    }
  })

  it('W37: are refused with any single bit flipped, and none of it reaches the sequence', () => {
    const frame = Uint8Array.from(new FrameSealer(KEY).seal(MESSAGE))
    const opener = new FrameOpener(KEY)
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = Uint8Array.from(frame)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(outcome(opener, flipped)).toBe('bad-mac 4401')
    }

    expect(outcome(opener, frame)).toBe(MESSAGE.toString())
  })

  it('are refused when cut short, empty or extended', () => {
    const frame = new FrameSealer(KEY).seal(MESSAGE)
    for (let length = 0; length < frame.length; length++) {
      expect(outcome(new FrameOpener(KEY), frame.subarray(0, length))).toBe('bad-mac 4401')
    }

    expect(outcome(new FrameOpener(KEY), Buffer.concat([frame, Buffer.of(0)]))).toBe('bad-mac 4401')
  })

  it('W36: are refused twice, out of order, and from another connection or direction', () => {
    const sealer = new FrameSealer(KEY)
    const [first, second] = [sealer.seal(MESSAGE), sealer.seal(MESSAGE)]

    const replayed = new FrameOpener(KEY)
    replayed.open(first)
    expect(outcome(replayed, first)).toBe('sequence 1002')
    expect(outcome(new FrameOpener(KEY), second)).toBe('sequence 1002')
    expect(outcome(new FrameOpener(randomBytes(32)), first)).toBe('bad-mac 4401')
  })

  it('are plain without a key', () => {
    expect(new FrameSealer(undefined).seal(MESSAGE)).toBe(MESSAGE)
    expect(new FrameOpener(undefined).open(MESSAGE)).toBe(MESSAGE)
  })
})
