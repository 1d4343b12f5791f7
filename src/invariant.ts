/** A broken promise of our own code: never bad input. The process state can no longer be trusted. */
export class InvariantError extends Error {
  readonly code = 'SESSION_MESH_INVARIANT'
  constructor(message: string) {
    super(message)
    this.name = 'InvariantError'
  }
}

/** Stops when our own code is wrong. Foreign input is refused with its own error, never with this one. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${message}`)
}
