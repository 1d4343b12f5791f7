/** Finds the store in what somebody's module exports: a class, an instance, or a function that makes one. */
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { SessionMeshError } from '../errors.js'
import { isStore, type Audited, type AuditedStore, type ExpressSession } from './store.js'

/** Nothing was audited: there is no store where the command line says. */
export class StoreModuleError extends SessionMeshError {
  readonly code = 'SESSION_MESH_STORE_MODULE'
}

/** The express-session of the project in this folder, so that the store and the audit use the same one. */
export interface Host {
  readonly expressSession: ExpressSession
  readonly version: string
}

export async function loadExpressSession(folder: string): Promise<Host> {
  const require = createRequire(join(folder, 'package.json'))
  try {
    const manifest: unknown = JSON.parse(readFileSync(require.resolve('express-session/package.json'), 'utf8'))
    const version = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'version') : undefined
    const loaded: unknown = await import(pathToFileURL(require.resolve('express-session')).href)
    const expressSession = exportOf(loaded, 'default')
    if (!isExpressSession(expressSession)) throw new TypeError('it exports no function')
    return { expressSession, version: String(version) }
  } catch (error) {
    const message = 'the audit runs stores under express-session: npm install express-session'
    throw new StoreModuleError(message, { cause: error })
  }
}

function isExpressSession(value: unknown): value is ExpressSession {
  return typeof value === 'function'
}

/** `path` or the name of a package, with `#name` for an export other than the default one. */
export async function loadStore(source: string, folder: string, expressSession: ExpressSession): Promise<Audited> {
  const [path = '', name = 'default'] = source.split('#', 2)
  const exported = exportOf(await importModule(path, folder), name)
  if (exported === undefined) throw new StoreModuleError(`${path} has no export called ${name}`)
  return await auditedOf(exported, expressSession, source)
}

async function importModule(path: string, folder: string): Promise<unknown> {
  try {
    const isFile = isAbsolute(path) || path.startsWith('.')
    const file = isFile ? resolve(folder, path) : createRequire(join(folder, 'package.json')).resolve(path)
    return await import(pathToFileURL(file).href)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreModuleError(`${path} cannot be loaded: ${why}`, { cause: error })
  }
}

/** Of CommonJS, `default` is all it exports; named exports may be properties of that. */
function exportOf(loaded: unknown, name: string): unknown {
  if (!isObject(loaded)) return undefined
  const found: unknown = Reflect.get(loaded, name)
  const fallback: unknown = Reflect.get(loaded, 'default')
  return found ?? (isObject(fallback) ? Reflect.get(fallback, name) : undefined)
}

/**
 * A class is made with no arguments; any other function is called with express-session, and may answer with a
 * class.
 */
async function auditedOf(exported: unknown, expressSession: ExpressSession, source: string): Promise<Audited> {
  let value = exported
  for (let step = 0; step < 3 && typeof value === 'function'; step++) {
    const isClass = isStore(Reflect.get(value, 'prototype'))
    value = isClass ? made(value, source) : await called(value, expressSession, source)
  }
  if (isStore(value)) return { store: value }
  if (isAudited(value)) return value
  throw new StoreModuleError(`${source} gives no store: an object with get, set and destroy, or { store } with one`)
}

function made(value: object, source: string): AuditedStore {
  try {
    const instance: unknown = Reflect.construct(value as new () => unknown, [])
    if (isStore(instance)) return instance
  } catch (error) {
    throw new StoreModuleError(
      `${source} needs arguments: export a function that makes the store, (session) => new Store({ … })`,
      { cause: error },
    )
  }
  throw new StoreModuleError(`${source} makes no store`)
}

async function called(value: object, expressSession: ExpressSession, source: string): Promise<unknown> {
  try {
    return await (value as (session: ExpressSession) => unknown)(expressSession)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StoreModuleError(`${source} failed to make a store: ${why}`, { cause: error })
  }
}

function isAudited(value: unknown): value is Audited {
  return isObject(value) && isStore(Reflect.get(value, 'store'))
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
