/** The value that a write of `version` leaves in an attribute: known to the servers and to the load alike. */
export function textOf(version: number | string, bytes: number): string {
  return String(version).padEnd(bytes, '.')
}

/** Attributes are called `a0`, `a1`, …. */
export function attributeName(index: number): string {
  return `a${index}`
}
