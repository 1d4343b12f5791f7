import { describe, expect, it } from 'vitest'
import type { NodeId } from '../../src/session/session.js'
import { PeerTable, type TableEntry } from '../../src/transport/peer-table.js'
import type { PeerInfo } from '../../src/transport/transport.js'

const BOUNDS = { heardMs: 1_500, simultaneousMs: 2_000 }

function peer(actor: number, node = `node ${actor}`): PeerInfo {
  return { node: node as NodeId, actor, startedAt: 0, address: `127.0.0.1:${actor}`, clockOffsetMs: 0 }
}

let lastId = 0
function link(of: PeerInfo, over: Partial<TableEntry> & { heardMs?: number } = {}): TableEntry {
  const { heardMs = 0, ...entry } = over
  return { id: ++lastId, peer: of, dialledByUs: true, ageMs: 10, heardWithin: (ms) => heardMs <= ms, ...entry }
}

function tableOf(ownActor: number, ...links: TableEntry[]): PeerTable<TableEntry> {
  const table = new PeerTable(ownActor, BOUNDS)
  for (const entry of links) table.add(entry)
  return table
}

describe('two links to one peer', () => {
  it('stays with the one dialled by the smaller actor, as both ends find out alone', () => {
    // 5 and 9 have dialled each other; each has its own link up when the handshake of the other one
    // completes.
    const at5 = tableOf(5, link(peer(9)))
    const at9 = tableOf(9, link(peer(5)))

    expect(at5.settle(peer(9), false)).toEqual({ type: 'yield' })
    expect(at9.settle(peer(5), false)).toEqual({ type: 'up', replaces: at9.all() })
  })

  it('takes a second call of the same peer as the news that it lost the first', () => {
    const accepted = tableOf(5, link(peer(9), { dialledByUs: false }))
    const old = tableOf(5, link(peer(9), { ageMs: 2_001 }))

    expect(accepted.settle(peer(9), false)).toEqual({ type: 'up', replaces: accepted.all() })
    expect(old.settle(peer(9), false)).toEqual({ type: 'up', replaces: old.all() })
  })

  it('gives up dialling a peer whose own call has come up meanwhile', () => {
    const table = tableOf(5, link(peer(9), { dialledByUs: false }))

    expect(table.admit(peer(9), true)).toMatchObject({ rule: 'duplicate-link' })
    expect(table.settle(peer(9), true)).toMatchObject({ type: 'refuse', refusal: { rule: 'duplicate-link' } })
    expect(table.admit(peer(9), false)).toBeUndefined()
  })
})

describe('two peers of one name', () => {
  it('keeps the name for whoever was heard lately', () => {
    const table = tableOf(5, link(peer(9, 'b'), { heardMs: 1_500 }))

    for (const dialling of [true, false]) {
      expect(table.admit(peer(10, 'b'), dialling)).toMatchObject({ rule: 'name-in-use' })
      expect(table.settle(peer(10, 'b'), dialling)).toMatchObject({ type: 'refuse' })
    }
  })

  it('gives the name of a silent link to the newcomer', () => {
    const table = tableOf(5, link(peer(9, 'b'), { heardMs: 1_501 }), link(peer(7)))

    expect(table.settle(peer(10, 'b'), false)).toEqual({ type: 'up', replaces: [table.byActor(9)] })
  })
})
