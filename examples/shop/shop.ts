import express from 'express'
import type { Express, NextFunction, Request, RequestHandler, Response } from 'express'
import type { Session } from '../../src/index.js' // in your project: from 'session-mesh'
import { type Cart, centsOf, goods, type Order, piecesIn } from './goods.js'
import { accountPage, cartPage, catalogue, loginPage, type Visit } from './views.js'

/** What the shop keeps. In your own project, `declare module 'session-mesh'` types `req.session` everywhere. */
interface ShopData {
  user: { readonly name: string }
  cart: Cart
  orders: readonly Order[]
}

/**
 * A small shop: fill a cart, log in, order. It is written against `req.session` alone, so that it runs on
 * session-mesh and on express-session; `nodeName` only lets people see which process answered.
 */
export function shop(sessions: RequestHandler, nodeName: string): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag').set('trust proxy', 'loopback')
  app.use(express.urlencoded({ extended: false, limit: '4kb' }))
  app.use(sessions) // the one line that differs between the two stores
  app.use((req, res, next) => label(nodeName, req, res, next))

  app.get('/', (req, res) => void res.send(catalogue(visit(req, nodeName))))
  app.get('/cart', (req, res) => void res.send(cartPage(visit(req, nodeName))))
  app.post('/cart', addToCart)
  app.get('/login', (req, res) => void res.send(loginPage(visit(req, nodeName))))
  app.post('/login', logIn)
  app.post('/logout', logOut)
  app.post('/order', membersOnly, order)
  app.get('/account', membersOnly, (req, res) => {
    res.send(accountPage(visit(req, nodeName), sessionOf(req).orders ?? []))
  })
  app.get('/api/me', (req, res) => {
    const { user, cart = {}, orders = [] } = sessionOf(req)
    res.json({ node: nodeName, user: user?.name ?? null, cart: piecesIn(cart), orders: orders.length })
  })
  return app
}

function membersOnly(req: Request, res: Response, next: NextFunction): void {
  if (sessionOf(req).user === undefined) res.redirect(303, '/login')
  else next()
}

function addToCart(req: Request, res: Response): void {
  const item = field(req, 'item')
  if (!goods.some((good) => good.id === item)) {
    res.status(400).send('There is no such thing in this shop.')
    return
  }
  const cart = (sessionOf(req).cart ??= {})
  cart[item] = (cart[item] ?? 0) + 1 // changed in place, no setter: it is found and saved all the same
  res.redirect(303, '/cart')
}

/** A new id at login, so that an id planted beforehand is worth nothing. The guest's cart comes along. */
function logIn(req: Request, res: Response, next: NextFunction): void {
  const name = field(req, 'name').trim().slice(0, 40)
  if (name === '') {
    res.redirect(303, '/login')
    return
  }
  const { cart } = sessionOf(req)
  req.session.regenerate((error: unknown) => {
    if (error) return next(error)
    const session = sessionOf(req)
    session.user = { name }
    if (cart !== undefined) session.cart = cart
    res.redirect(303, '/account') // followed at once, and answered by another node
  })
}

function logOut(req: Request, res: Response, next: NextFunction): void {
  req.session.destroy((error: unknown) => (error ? next(error) : res.redirect(303, '/')))
}

function order(req: Request, res: Response): void {
  const session = sessionOf(req)
  const { cart = {}, orders = [] } = session
  if (piecesIn(cart) > 0) {
    const placed = { number: orders.length + 1, pieces: piecesIn(cart), cents: centsOf(cart) }
    session.orders = [...orders, placed]
    delete session.cart
  }
  res.redirect(303, '/account')
}

/** Two headers for the demo's page: who answered, and whom for. */
function label(nodeName: string, req: Request, res: Response, next: NextFunction): void {
  const user = sessionOf(req).user?.name
  res.set({ 'Cache-Control': 'no-store', 'X-Node': nodeName })
  if (user !== undefined) res.set('X-Shop-User', encodeURIComponent(user))
  next()
}

function visit(req: Request, node: string): Visit {
  const { user, cart = {} } = sessionOf(req)
  return { node, user: user?.name, cart }
}

/** Nobody but this shop writes into its sessions; other code of this repository declares other attributes. */
function sessionOf(req: Request): Session<ShopData> {
  const session: object = req.session
  return session as Session<ShopData>
}

/** A form field as text; whatever else was sent counts as empty. */
function field(req: Request, name: string): string {
  const body: unknown = req.body
  if (typeof body !== 'object' || body === null) return ''
  const value: unknown = Object.getOwnPropertyDescriptor(body, name)?.value
  return typeof value === 'string' ? value : ''
}
