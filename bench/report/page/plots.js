/**
 * The script of the report, as the browser runs it: draws what the page has as data, follows the theme and
 * the width. It is put into the page as it stands, a module after uPlot; nothing is fetched.
 *
 * @typedef {import('../section.js').Axis} Axis
 * @typedef {import('../section.js').Series} Series
 * @typedef {Pick<import('../section.js').Plot, 'id' | 'x' | 'y' | 'series' | 'crossings'>} Plot
 * @typedef {import('uplot')} Chart
 */

/** @type {typeof import('uplot')} */
const UPlot = Reflect.get(globalThis, 'uPlot')
const HEIGHT = 300
const FONT = '12px system-ui, sans-serif'
/** As uPlot counts them. @type {Record<Axis['scale'], 1 | 3 | 4>} */
const DISTRIBUTIONS = { 'linear': 1, 'logarithmic': 3, 'from-zero': 4 }
const DASHES = { solid: [], dashed: [8, 5], dotted: [2, 4] }
const SUFFIXES = { 'ms': ' ms', 's': ' s', 'us': ' µs', 'B': ' B', 'B/s': ' B/s', '1/s': '/s', 'ratio': ' ×' }
/** @type {Map<string, Chart>} */
const drawn = new Map()

const elementOf = (/** @type {string} */ id) => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no ${id}`)
  return element
}

/** @type {Plot[]} */
const plots = JSON.parse(elementOf('plots').textContent ?? '[]')

/** A colour of the theme that is shown now. */
const colourOf = (/** @type {string} */ name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

const worded = (/** @type {number | null | undefined} */ value, /** @type {string} */ unit) => {
  if (value === null || value === undefined) return ''
  if (unit === 'share') return `${(value * 100).toLocaleString('en', { maximumFractionDigits: 2 })} %`
  const digits = { maximumSignificantDigits: 3 }
  if (unit.startsWith('B') && value >= 1e4) return `${(value / 1e3).toLocaleString('en', digits)} K${unit}`
  const number = value.toLocaleString('en', value >= 1_000 ? { maximumFractionDigits: 0 } : digits)
  return number + (Reflect.get(SUFFIXES, unit) ?? '')
}

/** Every series over all places at which any has a point. */
const aligned = (/** @type {readonly Series[]} */ series) => {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b)
  const columns = series.map(({ points }) => {
    const at = new Map(points)
    return xs.map((x) => at.get(x) ?? null)
  })
  return /** @type {import('uplot').AlignedData} */ ([xs, ...columns])
}

const scaleOf = (/** @type {Axis} */ { scale, min, max }, /** @type {number} */ pad) => ({
  time: false,
  distr: DISTRIBUTIONS[scale],
  range: /** @type {import('uplot').Range.Function} */ (
    (_, low, high) => {
      if (low === null || high === null) return [min ?? (scale === 'logarithmic' ? 1 : 0), max ?? 10]
      if (scale === 'logarithmic') return [low / (1 + pad), high * (1 + pad)]
      if (scale === 'from-zero') return [0, high * (1 + pad)]
      const margin = (high - low || 1) * (pad / 4)
      return [min ?? low - margin, max === undefined ? high + margin : max * 1.02]
    }
  ),
})

/**
 * Where a logarithmic axis is marked: at powers of ten, and where there are few of them, at their doubles and
 * halves.
 */
const roundOnes = (/** @type {number} */ low, /** @type {number} */ high) => {
  const powers = Array.from({ length: 25 }, (_, i) => 10 ** (i - 12))
    .filter((power) => power * 10 > low && power <= high)
  const leading = powers.length < 4 ? [1, 2, 5] : [1]
  const marks = powers.flatMap((power) => leading.map((digit) => digit * power))
  return marks.filter((mark) => mark >= low && mark <= high)
}

/** @returns {import('uplot').Axis.Splits} */
const splitsOf = (/** @type {Axis['scale']} */ scale) => (_, __, low, high) =>
  scale === 'from-zero' ? [0, ...roundOnes(0.9, high)] : roundOnes(low, high)

/** uPlot would leave out what it takes for minor. */
const all = (/** @type {unknown} */ _, /** @type {number[]} */ splits) => splits

/** Along the bottom the unit stands once, in the label: there is room for the numbers alone. */
const axisOf = (/** @type {Axis} */ { label, unit, scale }, /** @type {number} */ side) => ({
  label: side === 2 && unit in SUFFIXES ? `${label},${Reflect.get(SUFFIXES, unit)}` : label,
  side,
  stroke: colourOf('soft'),
  font: FONT,
  labelFont: FONT,
  labelSize: 22,
  size: side === 2 ? 34 : 72,
  grid: { stroke: colourOf('grid'), width: 1 },
  ticks: { stroke: colourOf('grid'), width: 1 },
  space: side === 2 ? (scale === 'linear' ? 56 : 30) : 36,
  ...(scale === 'linear' ? {} : { splits: splitsOf(scale), filter: all }),
  values: (/** @type {unknown} */ _, /** @type {(number | null)[]} */ values) =>
    values.map((value) => (value === null ? '' : worded(value, side === 2 && unit in SUFFIXES ? '' : unit))),
})

const seriesOf = (/** @type {Series} */ { label, colour, line, drawn: how }, /** @type {string} */ unit) => ({
  label,
  stroke: colourOf(colour),
  width: how === 'dots' ? 0 : 2,
  dash: DASHES[line],
  spanGaps: true,
  ...(how === 'dots' ? { paths: () => null } : {}),
  points: { show: how !== 'line', size: 6, fill: colourOf(how === 'dots' && line === 'solid' ? colour : 'card') },
  value: (/** @type {unknown} */ _, /** @type {number | null} */ value) => worded(value, unit),
})

/** Lines from top to bottom, each with its name. */
const crossingsOf = (/** @type {Plot['crossings']} */ crossings) => (/** @type {Chart} */ chart) => {
  const { ctx, bbox } = chart
  ctx.save()
  ctx.strokeStyle = ctx.fillStyle = colourOf('ink')
  ctx.font = `600 ${12 * devicePixelRatio}px system-ui, sans-serif`
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio])
  for (const { x, label } of crossings) {
    const at = chart.valToPos(x, 'x', true)
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
    const isRight = at > bbox.left + bbox.width / 2
    ctx.textAlign = isRight ? 'right' : 'left'
    const [aside, above] = [(isRight ? -8 : 8) * devicePixelRatio, 12 * devicePixelRatio]
    ctx.fillText(label, at + aside, bbox.top + bbox.height - above)
  }
  ctx.restore()
}

const draw = (/** @type {Plot} */ { id, x, y, series, crossings }) => {
  const place = elementOf(id)
  drawn.get(id)?.destroy()
  const data = aligned(series)
  const chart = new UPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [10, 24, 0, 0],
      scales: { x: scaleOf(x, 0.08), y: scaleOf(y, 0.3) },
      axes: [axisOf(x, 2), axisOf(y, 3)],
      series: [
        { label: x.label, value: (_, value) => worded(value, x.unit) },
        ...series.map((each) => seriesOf(each, y.unit)),
      ],
      legend: {
        markers: { width: 3, stroke: strokeOf, fill: () => 'none', dash: (_, i) => series[i - 1]?.line ?? 'solid' },
      },
      cursor: { drag: { x: false, y: false }, points: { size: 8 } },
      hooks: { draw: [crossingsOf(crossings)] },
    },
    data,
    place,
  )
  drawn.set(id, chart)
}

const strokeOf = (/** @type {Chart} */ chart, /** @type {number} */ index) => {
  const stroke = chart.series[index]?.stroke
  return String(typeof stroke === 'function' ? stroke(chart, index) : stroke)
}

/** The arrow keys walk along the points of the plot that has the focus. */
const walk = (/** @type {KeyboardEvent} */ event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  const chart = event.target instanceof HTMLElement ? drawn.get(event.target.id) : undefined
  if (step === undefined || chart === undefined) return
  event.preventDefault()
  const xs = chart.data[0]
  const at = Math.min(xs.length - 1, Math.max(0, (chart.cursor.idx ?? (step > 0 ? -1 : xs.length)) + step))
  chart.setCursor({ left: chart.valToPos(Number(xs[at]), 'x'), top: 40 })
}

const isDark = () => {
  const chosen = document.documentElement.dataset['theme']
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
}

const showTheme = () => {
  const button = elementOf('theme')
  button.textContent = isDark() ? 'Light' : 'Dark'
  button.setAttribute('aria-label', isDark() ? 'Use the light theme' : 'Use the dark theme')
  for (const plot of plots) draw(plot)
}

elementOf('theme').addEventListener('click', () => {
  document.documentElement.dataset['theme'] = isDark() ? 'light' : 'dark'
  showTheme()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', showTheme)
document.addEventListener('keydown', walk)
showTheme()

const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const chart = drawn.get(target.id)
    const width = Math.floor(contentRect.width)
    if (chart !== undefined && chart.width !== width) chart.setSize({ width, height: HEIGHT })
  }
})
for (const { id } of plots) resized.observe(elementOf(id))
document.documentElement.dataset['drawn'] = String(drawn.size)
