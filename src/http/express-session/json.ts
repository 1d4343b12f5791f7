/**
 * A session as express-session users know it is what JSON makes of it: `toJSON` is asked, functions are left out, NaN is
 * null. Values here follow that rule, whatever a session could keep besides.
 */

/** What JSON makes of one attribute; undefined: it is left out. Throws TypeError for cycles and bigints, as JSON does. */
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
      return value === null ? null : throughText(value, name)
  }
}

/** Own attributes of a session, as JSON would list them. */
export function attributesOf(session: object): readonly (readonly [name: string, value: unknown])[] {
  const source = 'toJSON' in session && typeof session.toJSON === 'function' ? (session.toJSON() as unknown) : session
  return isObject(source) ? Object.entries(source) : []
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The attribute stays inside an object, so that `toJSON` is told its name. */
function throughText(value: unknown, name: string): unknown {
  const parsed: unknown = JSON.parse(JSON.stringify({ [name]: value }))
  return isObject(parsed) ? parsed[name] : undefined
}
