/**
 * Reading the Cookie header: where pairs are, without taking apart the ones nobody asked for.
 */
const SEMICOLON = 0x3b
const SPACE = 0x20

/**
 * Where the text behind the next pair beginning with `prefix` starts, or -1. A pair begins the header or follows "; ",
 * and nothing else: browsers strip no further white space from names, so neither may we (a name with a tab before
 * `__Host-` is not protected by that prefix).
 */
export function findPair(header: string, prefix: string, from: number): number {
  let at = header.indexOf(prefix, from)
  while (at > 0 && !(header.charCodeAt(at - 1) === SPACE && header.charCodeAt(at - 2) === SEMICOLON)) {
    at = header.indexOf(prefix, at + 1)
  }
  return at < 0 ? at : at + prefix.length
}

/** Where the pair that `at` is in ends. */
export function endOfPair(header: string, at: number): number {
  const end = header.indexOf(';', at)
  return end < 0 ? header.length : end
}

/** What follows `prefix` in each pair beginning with it, in the order of the header, at most `max` of them. */
export function pairsBehind(header: string | undefined, prefix: string, max: number): readonly string[] {
  const found: string[] = []
  if (header === undefined) return found
  for (let at = findPair(header, prefix, 0); at >= 0 && found.length < max; at = findPair(header, prefix, at)) {
    found.push(header.slice(at, endOfPair(header, at)))
  }
  return found
}
