import type { ResolvedCookieOptions } from '../options.js'
import { AccountCookieCarrier } from './account-cookie.js'
import type { AliasPlace } from './accounts.js'
import type { CarrierChoice, OneCarrier } from './carrier-options.js'
import type { Carrier } from './carrier.js'
import { CompositeCarrier } from './composite-carrier.js'
import { CookieCarrier } from './cookie-carrier.js'
import { HeaderCarrier, ID_HEADER } from './header-carrier.js'

/** Ids in a cookie: the default. */
export function cookie(): OneCarrier {
  return 'cookie'
}

/** Ids in a header of this name, both ways. */
export function header(name: string = ID_HEADER): OneCarrier {
  return { header: name }
}

/** Ids as `Authorization: Bearer <id>`; new ones are answered in X-Auth-Token. */
export function bearer(): OneCarrier {
  return 'bearer'
}

/** Ids by any of several carriers; a new one goes out by the one that the request came by. */
export function composite(...carriers: OneCarrier[]): CarrierChoice {
  return carriers
}

export interface CarrierOptions {
  readonly carriers: readonly OneCarrier[]
  readonly cookie: ResolvedCookieOptions
  readonly trustProxy: boolean
  readonly accounts: AliasPlace | undefined
}

/** The carrier that options ask for. */
export function carrierOf(options: CarrierOptions): Carrier {
  const [first, ...others] = options.carriers.map((choice) => one(choice, options))
  if (first === undefined) return one('cookie', options)
  return others.length === 0 ? first : new CompositeCarrier([first, ...others])
}

function one(choice: OneCarrier, { cookie: of, trustProxy, accounts }: CarrierOptions): Carrier {
  if (choice === 'bearer') return new HeaderCarrier(ID_HEADER, 'bearer')
  if (choice !== 'cookie') return new HeaderCarrier(choice.header, 'header')
  return accounts === undefined ? new CookieCarrier(of, trustProxy) : new AccountCookieCarrier(of, trustProxy, accounts)
}
