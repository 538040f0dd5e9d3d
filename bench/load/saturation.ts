/** Whether something else than the server was slow: then its rate and latency are not its own. */

/** Shares of the time of a run. Who waits for a core is as busy as who has it: the machine may be at work for others, too. */
export interface Shares {
  readonly readers?: number
  readonly publishers?: number
  readonly serverWaited: number
  /** How long the readers' own process stood still, at worst. */
  readonly lagMs?: number
}

export function saturation({ readers = 0, publishers = 0, serverWaited, lagMs = 0 }: Shares): {
  saturated?: string
} {
  const percent = (share: number): string => `${Math.round(share * 100)} %`
  if (serverWaited > 0.1) {
    return { saturated: `the server had to wait for its core ${percent(serverWaited)} of the time` }
  }
  if (readers > 0.9) return { saturated: `the readers were busy ${percent(readers)} of the time` }
  if (publishers > 0.9) return { saturated: `the publishers were busy ${percent(publishers)} of the time` }
  return lagMs > 250 ? { saturated: `the readers' own process stood still for ${Math.round(lagMs)} ms` } : {}
}
