import { it } from 'vitest'
import { logoutRace } from './race.js'

it('a logout while three nodes read a session through leaves none alive', { timeout: 60_000 }, async () => {
  await logoutRace(200)
})
