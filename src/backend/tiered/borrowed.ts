import type { SessionBackend } from '../backend.js'

/** The same backend, for somebody who must neither open nor close it: a migration uses backends that live on after it. */
export function borrowed(backend: SessionBackend): SessionBackend {
  return new Proxy(backend, {
    get(target, name) {
      if (name === 'open' || name === 'close') return () => Promise.resolve()
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, target, args) : value
    },
  })
}
