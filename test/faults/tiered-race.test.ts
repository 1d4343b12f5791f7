import { it } from 'vitest'
import { logoutRace } from '../backend/tiered/race.js'

it.each(['write-behind', 'both', 'near-cache'] as const)('%s: a logout while three nodes read a session through leaves none alive, 10,000 times', async (mode) => {
  await logoutRace(mode, 10_000)
})
