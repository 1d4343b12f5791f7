/** A set of numbers in an attribute called `tags`, which stories about merging tell of. */
import type { RegisterIntent } from '../../src/replica/events.js'
import { RegisterKind, type Dot } from '../../src/session/session.js'
import type { Mesh } from '../replica/mesh.js'

export function changeTags(change: { add?: number; remove?: number }): RegisterIntent {
  const elements = (tag: number | undefined): readonly Uint8Array[] => (tag === undefined ? [] : [Uint8Array.of(tag)])
  const value = { type: 'set', add: elements(change.add), remove: elements(change.remove) } as const
  return { name: 'tags', kind: RegisterKind.set, value }
}

export function tagsAt(mesh: Mesh, node: number, birth: Dot): readonly number[] {
  const value = mesh.node(node).replica.state.live.get(birth)?.register('tags')?.value
  if (typeof value !== 'object' || value === null || !('elements' in value)) return []
  return value.elements.map(({ bytes }) => bytes[0] ?? 0)
}
