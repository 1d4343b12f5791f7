import type { Ioredis, RedisArgument } from './dial.js'
import { commandBytes } from './command-bytes.js'

/** What ioredis sends, keeps until it is answered, and sends again to where a cluster redirects it. */
export interface Sendable {
  toWritable(socket: object): string | Buffer
}

/** Makes commands for ioredis whose replies stay bytes. */
export interface Commands {
  /** Encoded here. `shown`: how many arguments ioredis, and who traces it, get to see: up to the key, which a cluster goes by. */
  encoded(name: string, args: readonly RedisArgument[], shown: number): Sendable
  /** Short, and one that a replica may answer. */
  reading(name: string, args: readonly string[]): Sendable
}

const AS_BYTES = { replyEncoding: null }
const READING = { ...AS_BYTES, readOnly: true }

export function commandsOf({ Command }: Pick<Ioredis, 'Command'>): Commands {
  class EncodedCommand extends Command {
    readonly #bytes: Buffer

    constructor(name: string, args: readonly RedisArgument[], shown: number) {
      super(name, args.slice(0, shown).map(String), AS_BYTES)
      this.#bytes = commandBytes(name, args)
    }

    override toWritable(): Buffer {
      return this.#bytes
    }
  }
  return {
    encoded: (name, args, shown) => new EncodedCommand(name, args, shown),
    reading: (name, args) => new Command(name, [...args], READING),
  }
}
