/**
 * Seeded dice (sfc32, Chris Doty-Humphrey). Every part of the simulation forks its own stream by name, so that leaving
 * one part out does not change what the others draw: that is what lets a failing run shrink.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, label = '') {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0
    this.#c = hashText(label)
    for (let i = 0; i < 15; i++) this.bits()
  }

  /** An independent stream. */
  fork(label: string): Random {
    return new Random(this.bits() + this.bits() * 0x1_0000_0000, label)
  }

  /** 32 random bits. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** In [0, 1). */
  unit(): number {
    return this.bits() / 0x1_0000_0000
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.unit() * (to - from)
  }

  /** An integer in [from, to], both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1))
  }

  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** Waiting time until the next of events that come once per `mean` on average. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.unit() * items.length)] as T
  }

  /** One of the items, each as likely as its weight says; undefined when none weighs anything. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T | undefined {
    let rest = this.unit() * items.reduce((sum, item) => sum + item.weight, 0)
    return items.find((item) => item.weight > 0 && (rest -= item.weight) < 0)
  }

  /** A positive integer of 53 bits: what a process draws as its actor. */
  actor(): number {
    return (this.bits() >>> 11) * 0x1_0000_0000 + this.bits() + 1
  }
}

/** FNV-1a over UTF-16 units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
