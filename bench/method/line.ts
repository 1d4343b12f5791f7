/** The straight line that is closest to its points (least squares). */
export class Line {
  readonly #points: (readonly [x: number, y: number])[] = []

  add(x: number, y: number): void {
    this.#points.push([x, y])
  }

  /** Two different places make a line. */
  get isDetermined(): boolean {
    return new Set(this.#points.map(([x]) => x)).size > 1
  }

  at(x: number): number {
    const count = this.#points.length
    const mean = (which: 0 | 1): number => this.#points.reduce((sum, point) => sum + point[which], 0) / count
    const [meanX, meanY] = [mean(0), mean(1)]
    let [together, alone] = [0, 0]
    for (const [px, py] of this.#points) {
      together += (px - meanX) * (py - meanY)
      alone += (px - meanX) ** 2
    }
    return meanY + (together / alone) * (x - meanX)
  }
}
