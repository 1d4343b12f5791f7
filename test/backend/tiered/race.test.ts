import { it } from 'vitest'
import { logoutRace } from './race.js'

it.each(['write-behind', 'both', 'near-cache'] as const)('%s: a logout while three nodes read a session through leaves none alive', async (mode) => {
  await logoutRace(mode, 200)
})
