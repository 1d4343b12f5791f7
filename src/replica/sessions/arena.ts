import { invariant } from '../../invariant.js'

/** The largest that is kept. */
export const KEPT_BYTES_MAX = 8 * 1024
/** Memory is taken and given back in pieces of about this size. */
const SLAB_BYTES = 32 * 1024
const SMALLEST = 32
const STEP = 8
const OWNER_BYTES = Uint32Array.BYTES_PER_ELEMENT
/** An address: the class of sizes, then the number within it. */
const NUMBER_BITS = 24
const NUMBERS = 2 ** NUMBER_BITS
/** Free rooms that a class keeps: with one slab, sessions that come and go at its border would take and give it back each time. */
const SPARE_SLABS = 1.5
/** The first slab of a class begins with so many rooms. */
const FIRST_ROOMS = 4

/** Room sizes: each is at most a 32nd or 8 bytes above the one before, so no more is left over. */
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
 * order things come and go, and removing costs one copy of a few hundred bytes. Beside what is kept this takes at most a 32nd
 * of it (or 7 bytes) for each, 4 bytes for the owner, and per class of sizes free rooms of one and a half slabs.
 */
export class Arena {
  /** Those of which there was ever anything. */
  readonly #classes: SizeClass[] = []
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
    let index = CLASS_OF[Math.ceil(bytes.length / STEP)] as number
    // So many of one size have no more addresses there, but in the next class.
    while (this.#class(index).taken === NUMBERS) index++
    return addressOf(index, this.#class(index).add(owner, bytes))
  }

  /** Removes what is there; another one may be there afterwards. */
  delete(address: number): void {
    const index = address >>> NUMBER_BITS
    const number = address & (NUMBERS - 1)
    const owner = this.#class(index).delete(number)
    if (owner !== undefined) this.#moved(owner, addressOf(index, number))
  }

  /** The memory in which it lies, good until anything is added or removed. */
  memoryAt(address: number): Uint8Array {
    return this.#class(address >>> NUMBER_BITS).slabOf(address & (NUMBERS - 1)).memory
  }

  /** Where it begins in that memory. */
  offsetAt(address: number): number {
    return this.#class(address >>> NUMBER_BITS).offsetOf(address & (NUMBERS - 1))
  }

  /** How long it is, with what is left over. */
  lengthAt(address: number): number {
    return this.#class(address >>> NUMBER_BITS).size
  }

  #class(index: number): SizeClass {
    return (this.#classes[index] ??= new SizeClass(SIZES[index] as number))
  }
}

/** Rooms for bytes, and behind them whose they are: in one piece, which takes half of what two would for themselves. */
class Slab {
  readonly memory: Uint8Array
  readonly owners: Uint32Array

  constructor(rooms: number, size: number) {
    const buffer = new ArrayBuffer(rooms * (size + OWNER_BYTES))
    this.memory = new Uint8Array(buffer, 0, rooms * size)
    this.owners = new Uint32Array(buffer, rooms * size, rooms)
  }

  get rooms(): number {
    return this.owners.length
  }
}

/** Rooms of one size, of which the first so many are taken. */
class SizeClass {
  readonly size: number
  readonly #perSlab: number
  /** All have the same number of rooms but for the first, which doubles until it has as many. */
  readonly #slabs: Slab[] = []
  #taken = 0

  constructor(size: number) {
    this.size = size
    this.#perSlab = Math.floor(SLAB_BYTES / size)
  }

  get taken(): number {
    return this.#taken
  }

  get bytes(): number {
    return this.#slabs.reduce((sum, { rooms }) => sum + rooms, 0) * (this.size + OWNER_BYTES)
  }

  slabOf(number: number): Slab {
    return this.#slabs[Math.floor(number / this.#perSlab)] as Slab
  }

  offsetOf(number: number): number {
    return (number % this.#perSlab) * this.size
  }

  add(owner: number, bytes: Uint8Array): number {
    const number = this.#taken++
    this.#makeRoom(number)
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
    this.#giveBack()
    return last === number ? undefined : owner
  }

  #giveBack(): void {
    const free = this.#slabs.length * this.#perSlab - this.#taken
    // Of a size that nobody has nothing stays: its first slab will be a small one.
    if (this.#taken === 0) this.#slabs.length = 0
    else if (free > SPARE_SLABS * this.#perSlab && this.#slabs.length > 1) this.#slabs.pop()
  }

  #makeRoom(number: number): void {
    const [first] = this.#slabs
    if (first === undefined) {
      this.#slabs.push(new Slab(Math.min(FIRST_ROOMS, this.#perSlab), this.size))
    } else if (number === first.rooms && number < this.#perSlab) {
      const larger = new Slab(Math.min(2 * first.rooms, this.#perSlab), this.size)
      larger.memory.set(first.memory)
      larger.owners.set(first.owners)
      this.#slabs[0] = larger
    } else if (number === this.#slabs.length * this.#perSlab) {
      this.#slabs.push(new Slab(this.#perSlab, this.size))
    }
  }
}

function addressOf(index: number, number: number): number {
  return index * NUMBERS + number
}

function sizes(): readonly number[] {
  const all = [SMALLEST]
  for (let size = SMALLEST; size < KEPT_BYTES_MAX; all.push(size)) {
    size += Math.max(STEP, Math.floor(size / 32 / STEP) * STEP)
    size = Math.min(size, KEPT_BYTES_MAX)
  }
  return all
}
