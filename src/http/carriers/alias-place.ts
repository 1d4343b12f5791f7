import type { RequestHead } from '../request/request-head.js'
import { DEFAULT_ALIAS, isAlias, type AliasPlace } from './accounts.js'

/** The alias that a request names; the default one where it names none, or nothing that could be one. */
export function aliasIn(req: RequestHead, place: AliasPlace): string {
  const named = namedIn(req, place)
  return named !== undefined && isAlias(named) ? named : DEFAULT_ALIAS
}

/** `url`, relative or absolute, naming `alias` and no other. The default alias needs no naming. */
export function urlNaming(alias: string, url: string, { in: where, name }: AliasPlace): string {
  if (!isAlias(alias)) throw new TypeError('session.urlFor(): an alias is 1 to 50 letters, digits, "_" or "-"')
  switch (where) {
    case 'header':
      return url
    case 'query': {
      const { front, query, fragment } = partsOf(url)
      const kept = query.split('&').filter((pair) => pair !== '' && pair.split('=')[0] !== name)
      if (alias !== DEFAULT_ALIAS) kept.push(`${name}=${alias}`)
      return front + (kept.length === 0 ? '' : `?${kept.join('&')}`) + fragment
    }
    case 'path': {
      const [, origin = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)?(.*)$/is.exec(url) ?? []
      const bare = withoutPrefix(rest, name)
      return origin + (alias === DEFAULT_ALIAS ? bare : `${name}/${alias}${bare}`)
    }
  }
}

function namedIn(req: RequestHead, { in: where, name }: AliasPlace): string | undefined {
  const url = addressOf(req)
  switch (where) {
    case 'header': {
      const value = req.headers[name.toLowerCase()]
      return typeof value === 'string' ? value : value?.[0]
    }
    case 'query':
      return partsOf(url)
        .query.split('&')
        .find((pair) => pair.startsWith(`${name}=`))
        ?.slice(name.length + 1)
    case 'path':
      return url.startsWith(`${name}/`) ? /^[^/?#]*/.exec(url.slice(name.length + 1))?.[0] : undefined
  }
}

/** What the request asks for. Express shortens `url` while a router is mounted below a path. */
export function addressOf(req: RequestHead): string {
  const { originalUrl } = req
  return typeof originalUrl === 'string' ? originalUrl : (req.url ?? '')
}

function partsOf(url: string): { readonly front: string; readonly query: string; readonly fragment: string } {
  const [, front = '', query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(url) ?? []
  return { front, query, fragment }
}

/** A path without the prefix and alias that it may begin with. */
function withoutPrefix(path: string, prefix: string): string {
  if (!path.startsWith(`${prefix}/`)) return path
  const rest = path.slice(prefix.length + 1)
  const [alias = ''] = /^[^/?#]*/.exec(rest) ?? []
  if (!isAlias(alias)) return path
  const behind = rest.slice(alias.length)
  return behind.startsWith('/') ? behind : `/${behind}`
}
