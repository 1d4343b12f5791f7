/** What the shop sells. Prices in cents. */
export interface Good {
  readonly id: string
  readonly name: string
  readonly sign: string
  readonly cents: number
}

export const goods: readonly Good[] = [
  { id: 'teapot', name: 'Teapot', sign: '🫖', cents: 4_180 },
  { id: 'lamp', name: 'Reading lamp', sign: '💡', cents: 5_900 },
  { id: 'globe', name: 'Small globe', sign: '🌍', cents: 3_450 },
  { id: 'kite', name: 'Kite', sign: '🪁', cents: 2_275 },
  { id: 'scarf', name: 'Wool scarf', sign: '🧣', cents: 2_990 },
  { id: 'plant', name: 'Potted fern', sign: '🪴', cents: 1_850 },
]

/** How many of each good, by its id. */
export type Cart = Record<string, number>

export interface Order {
  readonly number: number
  readonly pieces: number
  readonly cents: number
}

export function piecesIn(cart: Cart): number {
  return Object.values(cart).reduce((sum, pieces) => sum + pieces, 0)
}

export function centsOf(cart: Cart): number {
  return goods.reduce((sum, good) => sum + good.cents * (cart[good.id] ?? 0), 0)
}
