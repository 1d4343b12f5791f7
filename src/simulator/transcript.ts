import type { ContextEntry, Event, Fragment, Input, Message, Stamp } from '../replica/events.js'
import type { Dot } from '../session/session.js'

/** One input as a line for people; undefined for what says nothing (an ordinary tick). */
export function describeInput(input: Input): string | undefined {
  switch (input.type) {
    case 'tick':
      return input.lagMs === 0 ? undefined : `tick, ${input.lagMs} ms late`
    case 'flush':
      return undefined
    case 'message':
      return `<- [${input.link}] ${describeMessage(input.message)}`
    case 'commit':
      return `request ${input.request}: ${describeCommit(input.commit)}, ${input.concern}${stampText(input.stamp)}`
    case 'load':
      return `request ${input.request}: load ${input.id}${stampText(input.stamp)}`
    case 'touch':
      return `touch ${dotText(input.birth)}`
    case 'link-up':
      return `link ${input.link} up to ${input.member.node} ${actorText(input.member.actor)}`
    case 'link-down':
    case 'link-stale':
    case 'link-drained':
      return `link ${input.link} ${input.type.slice(5)}`
    case 'unreachable':
      return `${input.address} is unreachable`
    case 'drain':
      return 'drain'
    case 'import':
      return `import ${fragmentText(input.fragment)}`
  }
}

type CommitInput = Extract<Input, { type: 'commit' }>['commit']

function describeCommit(commit: CommitInput): string {
  switch (commit.type) {
    case 'create':
      return `create with id ${commit.id} ${namesOf(commit.writes)}`
    case 'write':
      return `write ${dotText(commit.birth)} ${namesOf(commit.writes)}`
    case 'rotate':
      return `rotate ${dotText(commit.birth)} to ${commit.id} ${namesOf(commit.writes)}`
    case 'kill':
      return `kill ${dotText(commit.birth)} (${commit.reason})`
    case 'revoke':
      return `revoke ${commit.principal}`
  }
}

function describeMessage(message: Message): string {
  switch (message.type) {
    case 'delta':
      return `delta ${message.events.map(eventText).join('; ')}${message.ack ? ' (ack)' : ''}`
    case 'ack':
      return `ack ${contextText(message.context)}`
    case 'digest':
      return `digest ${contextText(message.context)}${message.ready ? '' : ' (not ready)'}`
    case 'roster':
      return `roster ${message.members.map((member) => `${member.node}=${actorText(member.actor)} ${member.state}`).join(', ')}`
    case 'sync-request':
      return `sync-request ${message.round}: ${contextText(message.context)}`
    case 'sync-part':
      return (
        `sync-part ${message.round}/${message.job}#${message.index}: ${message.fragments.map(fragmentText).join('; ')}` +
        killsText(message.kills) +
        listText('live', message.live.map(dotText))
      )
    case 'sync-end':
      return (
        `sync-end ${message.round}/${message.job} of ${message.parts}: ${contextText(message.context)}` +
        ` floor ${message.floor.map(dotText).join(' ')}${message.live ? ' (live listed)' : ''}`
      )
    case 'sync-credit':
      return `sync-credit ${message.job}#${message.index}`
    case 'pull':
      return `pull ${message.query}: ${message.births.map(dotText).join(' ')} ${message.ids.map((id) => id.hash).join(' ')}`
    case 'pull-reply':
      return (
        `pull-reply ${message.query}: ${message.fragments.map(fragmentText).join('; ')}${killsText(message.kills)}` +
        listText('dead', message.dead.map(dotText)) +
        listText('dropped', message.dropped) +
        (message.ready ? '' : ' (not ready)')
      )
    case 'touches':
      return `touches ${message.entries.map((entry) => dotText(entry.birth)).join(' ')}`
    case 'probe':
      return `probe ${message.query}: ${message.births.map((entry) => dotText(entry.birth)).join(' ')}`
    case 'probe-reply':
      return (
        `probe-reply ${message.query}: later ${message.later.map((entry) => dotText(entry.birth)).join(' ')}` +
        ` keep ${message.keep.map(dotText).join(' ')}`
      )
    case 'leave':
      return `leave at ${message.counter}`
  }
}

/** A dot short enough to read: the end of the actor, and the counter. */
export function dotText({ actor, counter }: Dot): string {
  return `${actorText(actor)}:${counter}`
}

export function actorText(actor: number): string {
  return (actor % 0x10_0000).toString(16).padStart(5, '0')
}

export function eventText(event: Event): string {
  const name = dotText(event.dot)
  switch (event.type) {
    case 'create':
      return `${name} creates ${event.id} ${namesOf(event.writes)}`
    case 'write':
      return `${name} writes ${dotText(event.birth)} ${namesOf(event.writes)}`
    case 'rotate':
      return `${name} rotates ${dotText(event.birth)} to ${event.id}, drops ${event.drops.map(dotText).join(' ')}`
    case 'kill':
      return `${name} kills ${dotText(event.birth)} (${event.reason})`
    case 'revoke':
      return `${name} revokes ${event.principal}`
  }
}

function namesOf(writes: readonly { readonly name: string; readonly value: unknown }[]): string {
  return `{${writes.map(({ name, value }) => `${name.replace('\u0000', '@')}${value === null ? ' removed' : ''}`).join(', ')}}`
}

function fragmentText({ birth, base, version, ids }: Fragment): string {
  return `${dotText(birth)}${base === undefined ? ' incomplete' : ''} v(${version.map(dotText).join(' ')}) ids(${ids.map((id) => dotText(id.dot)).join(' ')})`
}

function killsText(kills: readonly { readonly birth: Dot; readonly dot: Dot | null }[]): string {
  if (kills.length === 0) return ''
  return ` kills ${kills.map(({ birth, dot }) => `${dotText(birth)} by ${dot === null ? '?' : dotText(dot)}`).join(' ')}`
}

function listText(name: string, items: readonly string[]): string {
  return items.length === 0 ? '' : ` ${name} ${items.join(' ')}`
}

function contextText(context: readonly ContextEntry[]): string {
  return `{${context.map((entry) => `${dotText({ actor: entry.actor, counter: entry.base })}${entry.extra.length > 0 ? `+${entry.extra.join(',')}` : ''}`).join(' ')}}`
}

function stampText(stamp: Stamp | undefined): string {
  return stamp === undefined ? '' : ` seen(${stamp.dots.map(dotText).join(' ')})`
}
