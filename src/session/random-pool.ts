/** Bytes that are drawn at once: the operating system takes as long for all of them as for a few. */
const POOL_BYTES = 4 * 1024

/** The same dice, drawn from in large portions: every byte is handed out once. */
export function pooled(draw: (bytes: number) => Uint8Array): (bytes: number) => Uint8Array {
  let pool: Uint8Array = new Uint8Array()
  let used = 0
  return (bytes) => {
    if (bytes > POOL_BYTES) return draw(bytes)
    if (used + bytes > pool.length) {
      pool = draw(POOL_BYTES)
      used = 0
    }
    used += bytes
    return pool.subarray(used - bytes, used)
  }
}
