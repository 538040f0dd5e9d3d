/** A bar chart, as small as one can be: no library, no script, and colours that can be read on light and dark pages. */

export interface Chart {
  /** Of its file, without `.svg`. */
  readonly name: string
  readonly title: string
  readonly svg: string
}

export interface BarChart {
  readonly name: string
  readonly title: string
  readonly groups: readonly string[]
  /** Each has a value for each group. */
  readonly bars: readonly { readonly name: string; readonly values: readonly number[] }[]
}

const COLOURS = ['#1a73e8', '#6ea8fe', '#e8710a', '#9334e6', '#80868b', '#12876f']
const WIDTH = 720
const LEFT = 160
const ROW = 18

/** Rows from left to right, so that names have room. */
export function barChart({ name, title, groups, bars }: BarChart): Chart {
  const most = Math.max(...bars.flatMap(({ values }) => values.filter(Number.isFinite)), Number.MIN_VALUE)
  const room = WIDTH - LEFT - 80
  const parts: string[] = []
  let y = 34
  for (const [group, label] of groups.entries()) {
    parts.push(text(8, y + 12, label, 'font-weight="bold"'))
    y += 20
    for (const [index, { name, values }] of bars.entries()) {
      const value = values[group] as number
      if (!Number.isFinite(value)) continue
      const width = Math.max(1, (value / most) * room)
      parts.push(text(LEFT - 8, y + 12, name, 'text-anchor="end"'))
      parts.push(
        `<rect x="${LEFT}" y="${y + 2}" width="${width.toFixed(1)}" height="${ROW - 5}" fill="${COLOURS[index % COLOURS.length]}"/>`,
      )
      parts.push(text(LEFT + width + 6, y + 12, value.toPrecision(3)))
      y += ROW
    }
    y += 8
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${escape(title)}" font-family="sans-serif" font-size="12" fill="#80868b">`
  const svg = [head, text(8, 20, title, 'font-size="14" font-weight="bold"'), ...parts, '</svg>', ''].join(
    '\n',
  )
  return { name, title, svg }
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escape(content)}</text>`
}

function escape(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
