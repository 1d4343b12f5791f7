import type { Dot } from '../../session/session.js'

/** A text as 32 bits. `seed`: another one where whoever chooses the texts must not know which of them collide. */
export function textHash(text: string, seed: number): number {
  let hash = seed | 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mixed(hash)
}

/** A dot as 32 bits. */
export function dotHash({ actor, counter }: Dot): number {
  const high = Math.floor(actor / 0x1_0000_0000) ^ Math.floor(counter / 0x1_0000_0000)
  return mixed(Math.imul(mixed(actor ^ Math.imul(high, 0x85ebca6b)), 0x9e3779b1) ^ counter)
}

/** Every bit of the answer depends on every one of `hash` (Appleby, MurmurHash3). */
function mixed(hash: number): number {
  let bits = hash
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
