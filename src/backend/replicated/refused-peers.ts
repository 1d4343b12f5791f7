import { HandshakeError } from '../../errors.js'
import type { Log } from '../../log.js'
import type { PeerHealth } from '../backend.js'

/** A node that its own cluster refuses for its name gives up after this, milliseconds. */
const NAME_REFUSED_MS = 5_000

/** Configured peers that refuse this node, by name of the rule: said once in the log, and for as long as it lasts in health. */
export class RefusedPeers {
  readonly #refused = new Map<string, { readonly rule: string; readonly detail: string; readonly since: number }>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Notes a refusal. Answers an error where it is for good: the name of this node is taken. */
  note(address: string, rule: string, detail: string, now: number): HandshakeError | undefined {
    if (rule === 'unreachable' || rule === 'self' || rule === 'duplicate-link') return undefined
    const known = this.#refused.get(address)
    if (known?.rule !== rule) {
      this.#refused.set(address, { rule, detail, since: now })
      this.#log('error', 'refused-by-peer', { address, rule, detail })
      return undefined
    }
    const isForGood = rule === 'name-in-use' && now - known.since > NAME_REFUSED_MS
    return isForGood ? new HandshakeError(rule, `${address} refuses this node: ${detail}`) : undefined
  }

  forget(address: string): void {
    this.#refused.delete(address)
  }

  health(): readonly PeerHealth[] {
    return [...this.#refused].map(([address, { rule, detail }]) => ({
      node: '',
      address,
      state: 'refused',
      detail: `${rule}: ${detail}`,
    }))
  }
}
