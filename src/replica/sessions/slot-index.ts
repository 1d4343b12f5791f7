/** No slot. */
export const NONE = 0xffff_ffff

/** A table that is fuller has long runs to walk; one that is emptier by half of this is made smaller. */
const FULL = 7 / 8
const EMPTY = 3 / 8
const CELLS_MIN = 16
/** A larger table becomes two: no step takes longer than moving so many. */
const CELLS_MAX = 2_048
/** Bits of a hash that choose the table; the others choose the cell. */
const DEPTH_MAX = 16
const LOW = 0xffff

/**
 * Slots found by a hash of 32 bits and then by looking: many small open-addressing tables (linear probing, deletion by
 * moving back: Knuth 6.4, algorithm R), chosen by the first bits of the hash. One that is full grows by an eighth, and
 * when it is large becomes two, as in extendible hashing (Fagin et al. 1979): there is never a moment at which everything
 * is moved. A slot takes 8 bytes of a table that is between three and seven eighths full, most of the time more than six.
 */
export class SlotIndex<K> {
  readonly #isIt: (slot: number, key: K) => boolean
  #tables: Table[] = [new Table(0, CELLS_MIN)]
  #depth = 0

  /** `isIt`: whether the slot is the one for the key, where their hashes agree. */
  constructor(isIt: (slot: number, key: K) => boolean) {
    this.#isIt = isIt
  }

  /** Cells of all tables together: what memory this takes. */
  get cells(): number {
    return [...new Set(this.#tables)].reduce((sum, table) => sum + table.cells, 0)
  }

  find(hash: number, key: K): number {
    const table = this.#tableOf(hash)
    for (let at = table.home(hash); ; at = table.after(at)) {
      const slot = table.slot(at)
      if (slot === NONE || (table.hash(at) === hash && this.#isIt(slot, key))) return slot
    }
  }

  add(hash: number, slot: number): void {
    let table = this.#tableOf(hash)
    while (table.isFull) {
      this.#makeRoom(table, hash)
      table = this.#tableOf(hash)
    }
    table.add(hash, slot)
  }

  /** Puts another slot in the place of this one. */
  replace(hash: number, slot: number, by: number): void {
    const table = this.#tableOf(hash)
    const at = table.find(hash, slot)
    if (at !== NONE) table.put(at, hash, by)
  }

  /** Answers whether it was there. */
  delete(hash: number, slot: number): boolean {
    const table = this.#tableOf(hash)
    const at = table.find(hash, slot)
    if (at === NONE) return false
    table.delete(at)
    if (table.isEmpty) this.#exchange(table, [table.resized(0)])
    return true
  }

  #tableOf(hash: number): Table {
    return this.#tables[this.#depth === 0 ? 0 : hash >>> (32 - this.#depth)] as Table
  }

  #makeRoom(table: Table, hash: number): void {
    if (table.cells < CELLS_MAX || table.depth === DEPTH_MAX) return this.#exchange(table, [table.resized(1)], hash)
    if (table.depth === this.#depth) {
      this.#tables = this.#tables.flatMap((each) => [each, each])
      this.#depth++
    }
    this.#exchange(table, table.split(), hash)
  }

  /** Puts one or two tables where `table` is named; `hash`: of something in it. */
  #exchange(table: Table, by: readonly Table[], hash = table.anyHash): void {
    const places = 2 ** (this.#depth - table.depth)
    const first = this.#depth === 0 ? 0 : Math.floor((hash >>> (32 - this.#depth)) / places) * places
    for (let i = 0; i < places; i++) this.#tables[first + i] = by[Math.floor((i * by.length) / places)] as Table
  }
}

/** Pairs of hash and slot. */
class Table {
  /** How many first bits are the same in all hashes. */
  readonly depth: number
  readonly cells: number
  /** Whose first bits those are, where there is nothing in it any more. */
  anyHash = 0
  readonly #hashes: Uint32Array
  readonly #slots: Uint32Array
  #size = 0

  constructor(depth: number, cells: number) {
    this.depth = depth
    this.cells = cells
    this.#hashes = new Uint32Array(cells)
    this.#slots = new Uint32Array(cells).fill(NONE)
  }

  get isFull(): boolean {
    return this.#size + 1 > this.cells * FULL
  }

  get isEmpty(): boolean {
    return this.cells > CELLS_MIN && this.#size < this.cells * EMPTY
  }

  home(hash: number): number {
    return Math.floor(((hash & LOW) * this.cells) / (LOW + 1))
  }

  after(at: number): number {
    return at + 1 === this.cells ? 0 : at + 1
  }

  hash(at: number): number {
    return this.#hashes[at] as number
  }

  slot(at: number): number {
    return this.#slots[at] as number
  }

  put(at: number, hash: number, slot: number): void {
    this.#hashes[at] = hash
    this.#slots[at] = slot
  }

  find(hash: number, slot: number): number {
    for (let at = this.home(hash); ; at = this.after(at)) {
      const found = this.slot(at)
      if (found === NONE) return NONE
      if (found === slot && this.hash(at) === hash) return at
    }
  }

  add(hash: number, slot: number): void {
    let at = this.home(hash)
    while (this.slot(at) !== NONE) at = this.after(at)
    this.put(at, hash, slot)
    this.anyHash = hash
    this.#size++
  }

  /** Moves back what would no longer be found behind the hole. */
  delete(hole: number): void {
    for (let at = this.after(hole); this.slot(at) !== NONE; at = this.after(at)) {
      const hash = this.hash(at)
      if (this.#from(this.home(hash), at) < this.#from(hole, at)) continue
      this.put(hole, hash, this.slot(at))
      hole = at
    }
    this.#slots[hole] = NONE
    this.#size--
  }

  /** The same with room for `more`. */
  resized(more: number): Table {
    const table = new Table(this.depth, cellsFor(this.#size + more))
    table.anyHash = this.anyHash
    this.#moveInto(() => table)
    return table
  }

  /** By the first bit that is not the same in all. */
  split(): readonly [Table, Table] {
    const bit = 2 ** (31 - this.depth)
    let ones = 0
    for (let at = 0; at < this.cells; at++) if (this.slot(at) !== NONE && (this.hash(at) & bit) !== 0) ones++
    const half = (size: number): Table => new Table(this.depth + 1, cellsFor(size))
    const halves = [half(this.#size - ones), half(ones)] as const
    halves[0].anyHash = (this.anyHash & ~bit) >>> 0
    halves[1].anyHash = (this.anyHash | bit) >>> 0
    this.#moveInto((hash) => ((hash & bit) === 0 ? halves[0] : halves[1]))
    return halves
  }

  #moveInto(tableFor: (hash: number) => Table): void {
    for (let at = 0; at < this.cells; at++) {
      const slot = this.slot(at)
      if (slot !== NONE) tableFor(this.hash(at)).add(this.hash(at), slot)
    }
  }

  /** How far `at` is behind `from`. */
  #from(from: number, at: number): number {
    return at >= from ? at - from : at - from + this.cells
  }
}

/** Room for so many, and for an eighth more before the next change of size. */
function cellsFor(size: number): number {
  return Math.max(CELLS_MIN, Math.ceil(((size + 1) * (1 + 1 / 8)) / FULL))
}
