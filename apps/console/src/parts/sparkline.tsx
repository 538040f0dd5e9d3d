/** A line of small bars: what happened each second. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const most = Math.max(1, ...values)
  const bars = values.flatMap((value, at) =>
    value === 0 ? [] : [`M${at + 0.5} 16v${-Math.max(1, (value / most) * 15)}`],
  )
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${values.length} 16`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={bars.join('')} />
    </svg>
  )
}
