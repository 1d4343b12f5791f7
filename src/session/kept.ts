/**
 * Copies for what stays as long as a session, that keep nothing else in memory. Values lie side by side in slabs of
 * their own: Node's pool would put them beside whatever is allocated for a moment, and each would keep all of that.
 */

/** As large as Node's own: a value that outlives its neighbours keeps no more than it did there. */
const SLAB_BYTES = 8 * 1024
/** A larger value gets memory of its own, so that little of a slab is ever left over. */
const SHARED_BYTES_MAX = 1024

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let used = 0

/** A copy of `bytes` for as long as a session lives. */
export function keptBytes(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length > SHARED_BYTES_MAX) {
    const own = Buffer.allocUnsafeSlow(length)
    own.set(bytes)
    return own
  }
  if (used + length > SLAB_BYTES) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    used = 0
  }
  const kept = slab.subarray(used, used + length)
  kept.set(bytes)
  used += length
  return kept
}
