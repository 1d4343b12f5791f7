/** What can be read from a session, beside its attributes. */
const PROPERTY_NAMES = ['id', 'isNew', 'createdAt', 'lastAccessedAt', 'ttl', 'cookie'] as const

/** What can be called on a session; `save` is another name of `commit`. */
const METHOD_NAMES = [
  'commit',
  'rotate',
  'regenerate',
  'destroy',
  'setPrincipal',
  'reload',
  'touch',
  'toObject',
  'aliases',
  'urlFor',
] as const

export type PropertyName = (typeof PROPERTY_NAMES)[number]
export type MethodName = (typeof METHOD_NAMES)[number]

const RESERVED: ReadonlySet<string> = new Set([...PROPERTY_NAMES, ...METHOD_NAMES, 'save'])

/** Whether no attribute can have this name, because the session object uses it. */
export function isReserved(name: string): boolean {
  return RESERVED.has(name)
}
