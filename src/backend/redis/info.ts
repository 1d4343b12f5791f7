/** What INFO says: nothing where that is not allowed. */
import type { Log } from '../../log.js'
import type { RedisClient } from './client.js'
import { textOf } from './reply-parts.js'

export type Info = ReadonlyMap<string, string>

type Section = 'replication' | 'memory' | 'stats'

/** Of one server. */
export async function infoOf(client: RedisClient, section: Section, log: Log): Promise<Info> {
  return fieldsIn(await client.command('info', [section]).catch((error: unknown) => untold(section, error, log)))
}

/** Of every primary. */
export async function infosOf(client: RedisClient, section: Section, log: Log): Promise<readonly Info[]> {
  const texts = await client.everywhere('info', [section]).catch((error: unknown) => [untold(section, error, log)])
  return texts.map(fieldsIn)
}

function fieldsIn(text: unknown): Info {
  const pairs = textOf(text).split('\r\n').map((line) => line.split(':'))
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join(':')]))
}

function untold(section: Section, error: unknown, log: Log): string {
  log('debug', 'redis-info-unavailable', { section, reason: String(error) })
  return ''
}
