/** A bug planted into the built replica, and who notices it. */
export interface Mutant {
  /** The rule of PROTOCOL.md that it takes back, or what of the protocol it is about. */
  readonly rule: string
  readonly bug: string
  readonly changes: readonly Change[]
  readonly catcher: Catcher
}

export interface Change {
  /** Below src/, without extension. */
  readonly file: string
  /** A piece of the built JavaScript that occurs exactly once; white space does not count. */
  readonly find: string
  readonly put: string
}

/** The first seed of 1, 2, 3, … that breaks a promise; or, where chance does not get there, a test. */
export type Catcher =
  | { readonly type: 'seed'; readonly seed: number }
  | { readonly type: 'test'; readonly file: string }

/** `catcher`: a seed, or a test below test/, without extension. */
export function mutant(
  rule: string,
  bug: string,
  changes: readonly Change[],
  catcher: number | string,
): Mutant {
  if (typeof catcher === 'number') return { rule, bug, changes, catcher: { type: 'seed', seed: catcher } }
  return { rule, bug, changes, catcher: { type: 'test', file: catcher } }
}

/** A bug in one place. */
export function one(
  rule: string,
  bug: string,
  file: string,
  find: string,
  put: string,
  catcher: number | string,
): Mutant {
  return mutant(rule, bug, [{ file, find, put }], catcher)
}

/** What looking for a mutant came to. */
export type Outcome =
  | { readonly type: 'caught'; readonly by: string; readonly seed: number | undefined }
  | { readonly type: 'got-away'; readonly reason: string }
