/** Where the time of a sampled process went, by file. Pure. */

/** Of `Profiler.Profile` of the inspector protocol, what is needed here. */
export interface Sampled {
  readonly nodes: readonly SampledNode[]
  /** Of which node each sample was. */
  readonly samples?: readonly number[] | undefined
  /** Microseconds since the sample before. */
  readonly timeDeltas?: readonly number[] | undefined
}

export interface SampledNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: readonly number[] | undefined
}

/** What V8 calls the time in which nothing was to do; it is left out. */
const IDLE = '(idle)'
/** Begins and ends the sampling: V8 goes through all code that there is, which is no request's doing. Left out, too. */
const SAMPLER = 'node:inspector'
const ROOT = '(root)'
/** Everything but JavaScript that no JavaScript called: reading sockets, the parser of HTTP, the loop itself. */
export const NATIVE = '(program)'
export const COLLECTOR = '(garbage collector)'

/**
 * Microseconds by the url of the code that was running. What is built into the engine has none, and counts for whoever
 * called it: a hash, a write to a socket.
 */
export function selfTimes({ nodes, samples = [], timeDeltas = [] }: Sampled): ReadonlyMap<string, number> {
  const owners = ownersOf(nodes)
  const times = new Map<string, number>()
  for (const [i, id] of samples.entries()) {
    const owner = owners.get(id)
    if (owner === undefined || owner === IDLE || owner === SAMPLER) continue
    times.set(owner, (times.get(owner) ?? 0) + Math.max(0, timeDeltas[i] ?? 0))
  }
  return times
}

function ownersOf(nodes: readonly SampledNode[]): ReadonlyMap<number, string> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const ownerOf = (id: number): string => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const { functionName = ROOT, url = '' } = frames.get(at) ?? {}
      if (url !== '') return url
      if (functionName === IDLE || functionName === NATIVE || functionName === COLLECTOR) return functionName
    }
    return NATIVE
  }
  return new Map(nodes.map(({ id }) => [id, ownerOf(id)]))
}
