import { type Cart, centsOf, goods, type Order, piecesIn } from './goods.js'

/** Who is looking, and which node answers. */
export interface Visit {
  readonly node: string
  readonly user: string | undefined
  readonly cart: Cart
}

/** The list of goods. */
export function catalogue(visit: Visit): string {
  const cards = goods.map(
    (good) => `<li><b>${good.sign}</b><span>${escape(good.name)}<small>${money(good.cents)}</small></span>
      <form method="post" action="/cart"><button name="item" value="${good.id}">Add</button></form></li>`,
  )
  return layout(visit, 'Goods', `<ul class="goods">${cards.join('')}</ul>`)
}

export function cartPage(visit: Visit): string {
  const rows = goods
    .map((good) => ({ ...good, pieces: visit.cart[good.id] ?? 0 }))
    .filter(({ pieces }) => pieces > 0)
    .map(({ sign, name, cents, pieces }) => {
      return `<tr><td>${sign} ${escape(name)}<td>${pieces} ×<td>${money(cents)}</tr>`
    })
  const body = rows.length === 0
    ? '<p>Your cart is empty.</p>'
    : `<table>${rows.join('')}<tr><th>Total<th><th>${money(centsOf(visit.cart))}</tr></table>
       <form method="post" action="/order"><button>Order</button></form>`
  return layout(visit, 'Cart', body)
}

export function loginPage(visit: Visit): string {
  return layout(visit, 'Log in', `<p>You are not logged in.</p>
    <form method="post" action="/login">
    <input name="name" aria-label="Name" maxlength="40" value="Ada" required> <button>Log in</button></form>`)
}

export function accountPage(visit: Visit, orders: readonly Order[]): string {
  const rows = orders.map(({ number, pieces, cents }) => {
    return `<li>No. ${number}: ${pieces} ${pieces === 1 ? 'piece' : 'pieces'}, ${money(cents)}</li>`
  })
  return layout(visit, `Welcome, ${visit.user ?? ''}`, `
    ${rows.length === 0 ? '<p>No orders yet.</p>' : `<p>Your orders:</p><ul>${rows.join('')}</ul>`}
    <form method="post" action="/logout"><button>Log out</button></form>`)
}

function layout(visit: Visit, title: string, body: string): string {
  const account = visit.user === undefined
    ? '<a href="/login">Log in</a>'
    : `<a href="/account">${escape(visit.user)}</a>`
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · Shop</title><link rel="icon" href="data:,">
<style>${style}</style>
<nav><a href="/">Shop</a><a href="/cart">Cart (${piecesIn(visit.cart)})</a>${account}
<em>answered by node ${escape(visit.node)}</em></nav><h1>${escape(title)}</h1>${body}</html>`
}

/** Everything that a browser sent goes through here before it reaches a page. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function money(cents: number): string {
  return `€ ${(cents / 100).toFixed(2)}`
}

const style = `
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 40rem; padding: 1rem }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; border-bottom: 1px solid #8885; padding-bottom: .6rem }
nav em { margin-left: auto; opacity: .65; font-size: .85em }
a { color: inherit }
h1 { font-size: 1.4rem }
small { display: block; opacity: .65 }
.goods { list-style: none; padding: 0; display: grid; gap: .6rem }
.goods li { display: flex; align-items: center; gap: .7rem; padding: .5rem .8rem }
.goods li { border: 1px solid #8885; border-radius: .6rem }
.goods b { font-size: 1.6rem }
.goods span { flex: 1 }
table { border-spacing: 0 .3rem }
td, th { padding-right: 1.2rem; text-align: left }
button, input { font: inherit; padding: .3rem .8rem; border-radius: .5rem; border: 1px solid #8888 }
button { cursor: pointer }
`
