import { it } from 'vitest'
import { logoutRace } from '../backend/tiered/race.js'

it('a logout while three nodes read a session through leaves none alive, 10,000 times', async () => {
  await logoutRace(10_000)
})
