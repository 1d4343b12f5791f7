import { hash } from 'node:crypto'
import type { PortableSession } from './backend.js'

/**
 * A fingerprint of many sessions: equal content, equal fingerprint, in whatever order they come. Made of what a browser
 * can observe (ids, attributes, principal, lifetimes) and of who wrote it last; accesses do not count.
 */
export class Fingerprint {
  readonly #sum = new Uint8Array(16)

  add(session: PortableSession): void {
    const sorted = [...session.registers].sort((a, b) => (a.name < b.name ? -1 : 1))
    const registers = sorted.map(({ name, kind, value, hlc, dot }) => [
      name,
      kind,
      value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
      hlc,
      dot.actor,
    ])
    const { actor, counter } = session.birth
    const ids = session.ids.map((id) => id.hash).sort()
    const maxLife = String(session.maxLifeMs)
    const text = JSON.stringify([actor, counter, session.createdAt, maxLife, ids, registers])
    const bytes = hash('sha256', text, 'buffer')
    for (let i = 0; i < 16; i++) this.#sum[i]! ^= bytes[i]!
  }

  /** 32 hexadecimal digits. */
  toString(): string {
    return Buffer.from(this.#sum).toString('hex')
  }
}
