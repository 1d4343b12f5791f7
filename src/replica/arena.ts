import { invariant } from '../invariant.js'

/** The largest that is kept. */
export const KEPT_BYTES_MAX = 8 * 1024
/** Memory is taken and given back in pieces of about this size. */
const SLAB_BYTES = 32 * 1024
const SMALLEST = 32
const STEP = 8
/** An address: the class of sizes, then the number within it. */
const NUMBER_BITS = 25
const NUMBER_MAX = 2 ** NUMBER_BITS - 1

/** Room sizes: each is an eighth of a power of two or less above the one before, so at most a sixteenth is left over. */
const SIZES = sizes()
/** The class of what is at most so many steps long. */
const CLASS_OF = Uint8Array.from({ length: KEPT_BYTES_MAX / STEP + 1 }, (_, steps) =>
  SIZES.findIndex((size) => size >= steps * STEP),
)

/** Where something was moved to. */
type Moved = (owner: number, address: number) => void

/**
 * Bytes of many owners, outside the heap and without a hole: what is kept lies in classes of sizes, densely, and where
 * something is removed the last one of its class takes the place. So there is nothing to compact, no matter in which
 * order things come and go, and removing costs one copy of a few hundred bytes. Beside what is kept this takes at most a
 * sixteenth of it (or 7 bytes) for each, 4 bytes for the owner, and per class of sizes one slab that is not full and one
 * that is spare.
 */
export class Arena {
  readonly #classes = SIZES.map((size) => new SizeClass(size))
  readonly #moved: Moved

  /** `moved`: told of whatever takes another place. */
  constructor(moved: Moved) {
    this.#moved = moved
  }

  /** Of all memory taken. */
  get bytes(): number {
    return this.#classes.reduce((sum, each) => sum + each.bytes, 0)
  }

  /** Keeps a copy; answers its address. */
  add(owner: number, bytes: Uint8Array): number {
    invariant(bytes.length <= KEPT_BYTES_MAX, 'what is larger is not kept here')
    const index = CLASS_OF[Math.ceil(bytes.length / STEP)] as number
    const number = this.#class(index).add(owner, bytes)
    invariant(number <= NUMBER_MAX, 'more sessions of one size than addresses for them')
    return addressOf(index, number)
  }

  /** Removes what is there; another one may be there afterwards. */
  delete(address: number): void {
    const index = address >>> NUMBER_BITS
    const number = address & NUMBER_MAX
    const owner = this.#class(index).delete(number)
    if (owner !== undefined) this.#moved(owner, addressOf(index, number))
  }

  /** The memory in which it lies, good until anything is added or removed. */
  memoryAt(address: number): Uint8Array {
    return this.#class(address >>> NUMBER_BITS).slabOf(address & NUMBER_MAX).memory
  }

  /** Where it begins in that memory. */
  offsetAt(address: number): number {
    return this.#class(address >>> NUMBER_BITS).offsetOf(address & NUMBER_MAX)
  }

  /** How long it is, with what is left over. */
  lengthAt(address: number): number {
    return this.#class(address >>> NUMBER_BITS).size
  }

  #class(index: number): SizeClass {
    return this.#classes[index] as SizeClass
  }
}

interface Slab {
  readonly memory: Uint8Array
  readonly owners: Uint32Array
}

/** Rooms of one size, of which the first so many are taken. */
class SizeClass {
  readonly size: number
  readonly #perSlab: number
  readonly #slabs: Slab[] = []
  #taken = 0

  constructor(size: number) {
    this.size = size
    this.#perSlab = Math.floor(SLAB_BYTES / size)
  }

  get bytes(): number {
    return this.#slabs.length * this.#perSlab * (this.size + Uint32Array.BYTES_PER_ELEMENT)
  }

  slabOf(number: number): Slab {
    return this.#slabs[Math.floor(number / this.#perSlab)] as Slab
  }

  offsetOf(number: number): number {
    return (number % this.#perSlab) * this.size
  }

  add(owner: number, bytes: Uint8Array): number {
    const number = this.#taken++
    if (number === this.#slabs.length * this.#perSlab) {
      const memory = new Uint8Array(this.#perSlab * this.size)
      this.#slabs.push({ memory, owners: new Uint32Array(this.#perSlab) })
    }
    const { memory, owners } = this.slabOf(number)
    memory.set(bytes, this.offsetOf(number))
    owners[number % this.#perSlab] = owner
    return number
  }

  /** Answers whose bytes took its place. */
  delete(number: number): number | undefined {
    const last = --this.#taken
    const from = this.slabOf(last)
    const owner = from.owners[last % this.#perSlab] as number
    if (last !== number) {
      const at = this.offsetOf(last)
      const to = this.slabOf(number)
      to.memory.set(from.memory.subarray(at, at + this.size), this.offsetOf(number))
      to.owners[number % this.#perSlab] = owner
    }
    // One more than is needed stays: a session that comes and goes at the border would take and give back one each time.
    if (this.#slabs.length > Math.ceil(last / this.#perSlab) + 1) this.#slabs.pop()
    return last === number ? undefined : owner
  }
}

function addressOf(index: number, number: number): number {
  return index * (NUMBER_MAX + 1) + number
}

function sizes(): readonly number[] {
  const all = [SMALLEST]
  for (let size = SMALLEST; size < KEPT_BYTES_MAX; all.push(size)) {
    size += Math.max(STEP, Math.floor(size / 16 / STEP) * STEP)
    size = Math.min(size, KEPT_BYTES_MAX)
  }
  return all
}
