import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NodeId } from '../../src/session/session.js'
import { encodeMessage, pack } from '../../src/transport/codec.js'
import type { Handshake, Step } from '../../src/transport/handshake.js'
import { SECRET } from './fixtures.js'
import { handshakeOf, hello } from './raw-peer.js'

const OTHER = 'another secret of the transport tests, also long'
const NOW = 1_790_000_000_000

/** Runs both sides to the end; `transit` may spoil what travels. */
function meet(
  dialler: Handshake,
  acceptor: Handshake,
  transit: (bytes: Uint8Array, turn: number) => Uint8Array = (bytes) => bytes,
): { dialler: Step | undefined; acceptor: Step | undefined } {
  const last: { dialler: Step | undefined; acceptor: Step | undefined } = { dialler: undefined, acceptor: undefined }
  let bytes: Uint8Array | undefined = dialler.start(NOW)
  for (let turn = 0; bytes !== undefined && turn < 8; turn++) {
    const side = turn % 2 === 0 ? 'acceptor' : 'dialler'
    const step: Step = (side === 'acceptor' ? acceptor : dialler).receive(transit(bytes, turn), NOW)
    last[side] = step
    bytes = step.bytes
  }
  return last
}

function rules({ dialler, acceptor }: ReturnType<typeof meet>): (string | undefined)[] {
  return [dialler, acceptor].map((step) => (step?.type === 'refused' ? step.refusal.rule : step?.type))
}

describe('handshake', () => {
  it('brings both sides up with keys that fit', () => {
    const result = meet(handshakeOf('dialler', [SECRET]), handshakeOf('acceptor', [SECRET]))

    expect(rules(result)).toEqual(['up', 'up'])
    if (result.dialler?.type !== 'up' || result.acceptor?.type !== 'up') throw new Error('not up')
    const message = Buffer.from('hi')
    expect(result.acceptor.opener.open(result.dialler.sealer.seal(message))).toEqual(message)
    expect(result.dialler.opener.open(result.acceptor.sealer.seal(message))).toEqual(message)
    expect(result.acceptor.peer.node).toBe('dialler')
  })

  it('makes other keys for each connection and each direction', () => {
    const [one, two] = [0, 1].map(() => meet(handshakeOf('dialler', [SECRET]), handshakeOf('acceptor', [SECRET])))
    if (one?.dialler?.type !== 'up' || two?.acceptor?.type !== 'up' || one.acceptor?.type !== 'up') throw new Error('not up')
    const { sealer, opener } = one.dialler
    const elsewhere = two.acceptor.opener
    const frame = sealer.seal(Buffer.from('hi'))

    expect(() => opener.open(frame)).toThrow(/not authenticated/)
    expect(() => elsewhere.open(frame)).toThrow(/not authenticated/)
  })

  it.each([
    ['both have the same secret', [SECRET], [SECRET], ['up', 'up']],
    ['none has one', [], [], ['up', 'up']],
    ['the acceptor knows the old and the new', [SECRET], [OTHER, SECRET], ['up', 'up']],
    ['the dialler signs with the new one, which the acceptor knows', [OTHER, SECRET], [SECRET, OTHER], ['up', 'up']],
    ['the secrets differ', [SECRET], [OTHER], ['bad-secret', 'bad-secret']],
    ['only the dialler has one', [SECRET], [], ['bad-secret', 'bad-secret']],
    ['only the acceptor has one', [], [SECRET], ['bad-secret', 'bad-secret']],
  ])('when %s', (_, ours, theirs, expected) => {
    expect(rules(meet(handshakeOf('dialler', ours), handshakeOf('acceptor', theirs)))).toEqual(expected)
  })

  it('W12: answers a wrong, a truncated and a zero MAC with the same bytes', () => {
    const answers = [randomBytes(32), Buffer.alloc(32), Buffer.alloc(5), new Uint8Array(), 'text', null].map((mac) => {
      const acceptor = handshakeOf('acceptor', [SECRET])
      acceptor.receive(hello({ 9: NOW }), NOW)
      return acceptor.receive(pack(['auth', mac]), NOW)
    })

    for (const answer of answers) {
      expect(answer).toEqual(answers[0])
      expect(answer).toMatchObject({ type: 'refused', closeCode: 4401, refusal: { rule: 'bad-secret' } })
    }
  })

  it('does not take its own AUTH back as the proof of the peer', () => {
    const dialler = handshakeOf('dialler', [SECRET])
    dialler.start(NOW)
    const auth = dialler.receive(hello({ 9: NOW }), NOW)

    expect(dialler.receive(auth.bytes!, NOW)).toMatchObject({ refusal: { rule: 'bad-secret' } })
  })

  it.each([['the dialler', 0], ['the acceptor', 1]])('authenticates every byte of the HELLO of %s', (_, spoiledTurn) => {
    const length = handshakeOf('dialler', [SECRET]).start(NOW).length
    for (let at = 0; at < length; at++) {
      const sides = [handshakeOf('dialler', [SECRET]), handshakeOf('acceptor', [SECRET])] as const
      const spoiled = meet(...sides, (bytes, turn) => {
        if (turn !== spoiledTurn) return bytes
        const copy = Uint8Array.from(bytes)
        copy[Math.min(at, copy.length - 1)]! ^= 1
        return copy
      })
      expect(rules(spoiled)).not.toContain('up')
    }
  })

  it('refuses ourselves, our own name, other settings and other clocks on both sides, after authentication', () => {
    const cases = [
      ['self', { actor: 7 }, { actor: 7 }],
      ['name-in-use', { node: 'a' as NodeId }, { node: 'a' as NodeId }],
      ['settings', { settings: { ttl: '30m' } }, { settings: { ttl: '31m' } }],
      ['settings', { settings: {} }, { settings: { shards: '4' } }],
    ] as const
    for (const [rule, ours, theirs] of cases) {
      expect(rules(meet(handshakeOf('dialler', [SECRET], ours), handshakeOf('acceptor', [SECRET], theirs)))).toEqual([rule, rule])
    }

    const late = handshakeOf('acceptor', [SECRET], { maxSkewMs: -1 })
    expect(rules(meet(handshakeOf('dialler', [SECRET]), late))).toEqual(['clock-skew', 'clock-skew'])
  })

  it('names the setting that differs, and no value', () => {
    const { acceptor } = meet(
      handshakeOf('dialler', [], { settings: { ttl: 'hidden-1', x: '1' } }),
      handshakeOf('acceptor', [], { settings: { ttl: 'hidden-2', x: '1' } }),
    )

    expect(acceptor).toMatchObject({ closeCode: 4409, refusal: { detail: 'setting ttl differs' } })
  })

  it('estimates the clock offset from the middle of the round trip', () => {
    const dialler = handshakeOf('dialler', [])
    const acceptor = handshakeOf('acceptor', [])
    // The acceptor's clock is 5,000 ms ahead; each way takes 100 ms.
    const own = acceptor.receive(dialler.start(NOW), NOW + 5_100)
    const auth = dialler.receive(own.bytes!, NOW + 200)
    const answer = acceptor.receive(auth.bytes!, NOW + 5_300)
    const up = dialler.receive(answer.bytes!, NOW + 400)
    const upToo = acceptor.receive(up.bytes!, NOW + 5_500)

    expect(up).toMatchObject({ type: 'up', peer: { clockOffsetMs: 5_000 } })
    expect(upToo).toMatchObject({ type: 'up', peer: { clockOffsetMs: -5_000 } })
  })

  it.each([
    ['W11: a data frame first', encodeMessage({ type: 'leave', counter: 1 }), 'malformed', 4401, 'not authenticated'],
    ['W11: AUTH first', pack(['auth', Buffer.alloc(32)]), 'malformed', 4401, 'not authenticated'],
    ['W13: another cluster', hello({ 3: 'other' }), 'wrong-cluster', 4409, 'cluster mismatch'],
    ...[[0, 0], [999, 999], [-1, -1], ['1', '1'], [null, null]].map(
      ([min, max]) => [`W14: version ${min}`, hello({ 1: min, 2: max }), 'version', 4409, 'versions 1 to 1 are accepted'] as const,
    ),
    ...['', 'x'.repeat(1_000), 'a\0b', 'a\nb', 7, null].map(
      (node) => [`W15: node ${JSON.stringify(node).slice(0, 12)}`, hello({ 4: node }), 'malformed', 1008, 'field node'] as const,
    ),
    ['W15: a node id of 10 KB', hello({ 4: 'x'.repeat(10_000) }), 'malformed', 1009, 'too many bytes'],
    ['W16: an empty frame', new Uint8Array(), 'malformed', 1002, 'empty'],
    ['W18: byte 0xC1', Buffer.of(0xc1), 'malformed', 1002, 'type not allowed'],
    ['W18: a truncated HELLO', hello().subarray(0, 60), 'malformed', 1002, 'too early'],
    ['W18: trailing bytes', Buffer.concat([hello(), Buffer.of(1)]), 'malformed', 1002, 'follow'],
    ['W25: a fractional actor', hello({ 5: 1.5 }), 'malformed', 1008, 'field actor'],
    ['W25: a start that is NaN', hello({ 6: Number.NaN }), 'malformed', 1008, 'field startedAt'],
    ['W39: an address that is none', hello({ 7: 'file:///etc/passwd' }), 'malformed', 1008, 'field address'],
    ['W39: port 70000', hello({ 7: 'localhost:70000' }), 'malformed', 1008, 'field address'],
    ['a nonce of 15 bytes', hello({ 8: Buffer.alloc(15) }), 'malformed', 1008, 'field nonce'],
    ['settings that are no pairs', hello({ 10: ['ttl'] }), 'malformed', 1008, 'field settings'],
    ['10,000 settings', hello({ 10: Array(20_000).fill('') }), 'malformed', 1009, 'too many bytes'],
    ['HELLO without its end', pack(['hello', 1, 1, 'shop']), 'malformed', 1008, 'field node'],
  ] as const)('refuses %s', (_, bytes, rule, closeCode, detail) => {
    const step = handshakeOf('acceptor', [SECRET]).receive(bytes, NOW)

    expect(step).toMatchObject({ type: 'refused', closeCode, refusal: { rule, detail: expect.stringContaining(detail) } })
  })

  it('takes no more than 4 KiB in all', () => {
    const acceptor = handshakeOf('acceptor', [SECRET])
    expect(acceptor.receive(hello({ 9: NOW, 11: 'x'.repeat(3_900) }), NOW).type).toBe('send')

    expect(acceptor.receive(pack(['auth', Buffer.alloc(300)]), NOW)).toMatchObject({ closeCode: 1009 })
  })

  it('believes no more of a refusal than a known rule and a short printable text', () => {
    const refusals = [['refuse', 'settings', 'x differs'], ['refuse', '__proto__', 'x'], ['refuse', 'self', 'a\nb'], ['refuse']].map(
      (fields) => handshakeOf('acceptor', []).receive(pack(fields), NOW),
    )

    expect(refusals.map((step) => (step.type === 'refused' ? step.refusal : step))).toEqual([
      { rule: 'settings', detail: 'x differs' },
      { rule: 'malformed', detail: 'refused without a known rule' },
      { rule: 'self', detail: '' },
      { rule: 'malformed', detail: 'refused without a known rule' },
    ])
  })

  it('comes up for no bytes that are not those of a member', () => {
    const known = ['nothing', 'ready', 'auth', 'hello'].map((type) => pack([type, Buffer.alloc(32)]))
    const anything = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(hello({ 9: NOW }), ...known))
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), (all) => {
        const acceptor = handshakeOf('acceptor', [SECRET])
        for (const bytes of all) expect(acceptor.receive(bytes, NOW).type).not.toBe('up')
      }),
      { numRuns: 2_000 },
    )
  })
})
