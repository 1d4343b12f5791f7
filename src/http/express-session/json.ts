/**
 * A session as express-session users know it is what JSON makes of it: `toJSON` is asked, functions are left out, NaN is
 * null. Values here follow that rule, whatever a session could keep besides.
 */

/** Containers inside containers that are looked into; what is deeper is left to JSON. */
const DEPTH_MAX = 32

/**
 * What JSON makes of one attribute; undefined: it is left out. Throws TypeError for cycles and bigints, as JSON does. What
 * JSON would give back as it is, is not copied.
 */
export function jsonValue(value: unknown, name: string): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'object':
    case 'function':
    case 'symbol':
    case 'bigint':
      return isJson(value, 0) ? value : jsonCopy(value, name)
  }
}

/** What JSON would list the own attributes of. */
export function attributesOf(session: object): Readonly<Record<string, unknown>> {
  const source = 'toJSON' in session && typeof session.toJSON === 'function' ? (session.toJSON() as unknown) : session
  return isObject(source) ? source : {}
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || (depth < DEPTH_MAX && isPlain(value, depth + 1))
    case 'undefined':
    case 'function':
    case 'symbol':
    case 'bigint':
      return false
  }
}

/** An array or a plain object, without a say in what becomes of it, and with nothing in it that JSON changes. */
function isPlain(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) return prototype === Array.prototype && value.every((element) => isJson(element, depth))
  if ((prototype !== Object.prototype && prototype !== null) || 'toJSON' in value) return false
  return Object.values(value).every((field) => isJson(field, depth))
}

/** The same as an object of its own. The attribute stays inside one meanwhile, so that `toJSON` is told its name. */
export function jsonCopy(value: unknown, name: string): unknown {
  if (value instanceof Date && value.toJSON === Date.prototype.toJSON) return value.toJSON()
  const parsed: unknown = JSON.parse(JSON.stringify({ [name]: value }))
  return isObject(parsed) ? parsed[name] : undefined
}
