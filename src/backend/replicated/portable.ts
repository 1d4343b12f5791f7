import type { Fragment } from '../../replica/events.js'
import { Reserved } from '../../replica/events.js'
import { RegisterKind, type IdHash } from '../../session/session.js'
import type { PortableRegister, PortableSession } from '../backend.js'
import { mergeableRegister, portableRegister } from '../merged-value.js'

/** A replica's session on its way to another backend. */
export function portableOf(fragment: Fragment): PortableSession {
  const { birth, base, touchedAt, highest, ids, version, registers } = fragment
  const hasLifetime = registers.some((register) => register.name === Reserved.maxIdleMs)
  return {
    birth,
    createdAt: base?.createdAt ?? 0,
    maxLifeMs: base?.maxLifeMs ?? Infinity,
    touchedAt,
    ids,
    // The idle lifetime always travels as a register, the creating event's where no later one changed it.
    registers: [...registers.map(portableRegister), ...(hasLifetime ? [] : [lifetimeOf(fragment)])],
    version,
    highest,
  }
}

function lifetimeOf({ birth, base }: Fragment): PortableRegister {
  return { name: Reserved.maxIdleMs, kind: RegisterKind.lww, value: base?.maxIdleMs ?? Infinity, hlc: 0, dot: birth }
}

/** What another backend exported, as a fragment to merge. */
export function fragmentOf(session: PortableSession): Fragment {
  const { birth, createdAt, maxLifeMs, touchedAt, highest, ids, version, registers } = session
  const idle = registers.find((register) => register.name === Reserved.maxIdleMs)
  const maxIdleMs = typeof idle?.value === 'number' ? idle.value : Infinity
  return {
    birth,
    base: { createdAt, maxIdleMs, maxLifeMs },
    touchedAt,
    highest,
    ids: ids.map(({ hash, dot }) => ({ hash: hash as IdHash, dot })),
    removedIds: [],
    version,
    registers: registers.filter((register) => register.hlc > 0).map(mergeableRegister),
  }
}
