import { expect, test, vi } from 'vitest'
import type { Committed, Created } from '../../src/backend/backend.js'
import { RegisterKind } from '../../src/session/session.js'
import { decodeValue, encodeValue } from '../../src/session/value.js'
import { loopbackCluster } from '../http/loopback-nodes.js'

const FOREVER = { maxIdleMs: Infinity, maxLifeMs: Infinity }
const write = (value: string) => ({ writes: [{ name: 'cart', kind: 0, value: encodeValue(value, 'cart') }] })

/** The numbers of one family of metrics, whatever their labels. */
function family(counters: Readonly<Record<string, number>>, name: string): readonly number[] {
  return Object.entries(counters).flatMap(([key, value]) => (key.split('{', 1)[0] === name ? [value] : []))
}

test('what a peer does not have yet, how old it is when it comes, and the older copy nobody saw', async () => {
  const { hub, node } = await loopbackCluster(2)
  const [here, there] = [node(0), node(1)]
  const peer = (name: string) => family(here.backend.counters(), name)[0]
  const { id, ref }: Created = await here.backend.create(write('one'), FOREVER)
  await vi.waitFor(() => expect(there.backend.read(ref)).toBeDefined(), { interval: 1 })
  await vi.waitFor(() => expect(peer('session_mesh_peer_unconfirmed_events')).toBe(0), { interval: 10, timeout: 5_000 })

  hub.stall(there.address)
  const { seen }: Committed = await here.backend.save(ref, write('two'), {})
  const late = there.backend.load(id, seen, { deadline: Date.now() + 60_000 })
  const stalledAt = Date.now()
  await vi.waitFor(() => expect(Date.now() - stalledAt).toBeGreaterThan(30), { interval: 5 })
  expect(peer('session_mesh_peer_unconfirmed_events')).toBe(1)
  const before = there.backend.counters()
  hub.resume(there.address)

  expect(await late).toMatchObject({ state: 'found' })
  const after = there.backend.counters()
  const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0)
  expect(grown('session_mesh_deltas_received_total')).toBe(1)
  expect(grown('session_mesh_delta_age_ms_total')).toBeGreaterThanOrEqual(30)
  expect(after['session_mesh_read_waits_total']).toBe(1)
  expect(after['session_mesh_peers_asked_total']).toBe(0)
  expect(after['session_mesh_stale_reads_prevented_total']).toBe(1)
  expect(after['session_mesh_stale_served_total']).toBe(0)
})

test('writes to one attribute that did not know of each other count once, as overtaken or as merged', async () => {
  const { hub, nodes, node } = await loopbackCluster(3)
  const [a, b] = [node(0).backend, node(1).backend]
  const add = (amount: number) => ({
    writes: [...write('x').writes, { name: 'visits', kind: RegisterKind.counter, value: encodeValue(amount, 'visits') }],
  })
  const everywhere = (name: string): number => nodes.reduce((sum, { backend }) => sum + (backend.counters()[name] ?? 0), 0)
  const { ref }: Created = await a.create(add(1), FOREVER)
  await vi.waitFor(() => expect(nodes.every(({ backend }) => backend.read(ref) !== undefined)).toBe(true), { interval: 1 })
  await b.save(ref, add(1), {})
  const visits = (): unknown[] => nodes.map(({ backend }) => {
    const bytes = backend.read(ref)?.attributes.get('visits')
    return bytes === undefined ? undefined : decodeValue(bytes)
  })
  await vi.waitFor(() => expect(visits()).toEqual(nodes.map(() => ({ ok: true, value: 2 }))), { interval: 1 })
  expect(everywhere('session_mesh_conflicts_overtaken_total')).toBe(0)
  expect(everywhere('session_mesh_conflicts_merged_total')).toBe(0)

  for (const { address } of nodes) hub.stall(address)
  await a.save(ref, add(1), {})
  await b.save(ref, add(1), {})
  for (const { address } of nodes) hub.resume(address)

  await vi.waitFor(() => expect(visits()).toEqual(nodes.map(() => ({ ok: true, value: 4 }))), { interval: 1 })
  expect(everywhere('session_mesh_conflicts_overtaken_total')).toBe(1)
  expect(everywhere('session_mesh_conflicts_merged_total')).toBe(1)
})

test('bytes by peer add up to all bytes', async () => {
  const { nodes, node } = await loopbackCluster(3)
  const { ref }: Created = await node(0).backend.create(write('one'), FOREVER)
  await vi.waitFor(() => expect(nodes.every(({ backend }) => backend.read(ref) !== undefined)).toBe(true), { interval: 1 })

  const counters = node(0).backend.counters()
  for (const way of ['sent', 'received']) {
    const byPeer = family(counters, `session_mesh_peer_${way}_bytes_total`)
    expect(byPeer).toHaveLength(2)
    expect(byPeer.every((bytes) => bytes > 0)).toBe(true)
    expect(byPeer.reduce((sum, bytes) => sum + bytes)).toBe(counters[`session_mesh_${way}_bytes_total`])
  }
})

test('a peer whose digest has what is missing here is counted until a sync round made up for it', async () => {
  const { hub, node } = await loopbackCluster(3)
  const [a, b, c] = [node(0), node(1), node(2)]
  hub.cut(a.address, c.address)
  await vi.waitFor(() => expect(a.backend.counters()['session_mesh_links_up']).toBe(1), { interval: 5 })
  const { ref }: Created = await a.backend.create(write('one'), FOREVER)

  const differing = () => c.backend.counters()['session_mesh_digests_differing'] ?? 0
  await vi.waitFor(() => expect(differing()).toBe(1), { interval: 2, timeout: 5_000 })
  await vi.waitFor(() => expect(c.backend.read(ref)).toBeDefined(), { interval: 5, timeout: 5_000 })

  await vi.waitFor(() => expect(differing()).toBe(0), { interval: 5, timeout: 5_000 })
  expect(b.backend.size().sessions).toBe(1)
})
