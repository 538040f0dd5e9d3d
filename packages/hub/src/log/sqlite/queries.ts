/** The queries of reads. Each uses an index: `test/sqlite-plans.test.ts` looks at the plans. */
export const QUERIES = {
  /** One channel, upward and downward: answered by the index alone. */
  forward: 'SELECT position, size FROM events WHERE channel = ? AND position > ? ORDER BY position LIMIT ?',
  backward:
    'SELECT position, size FROM events WHERE channel = ? AND position > ? AND position < ? ORDER BY position DESC LIMIT ?',
  /** All channels. */
  allForward: 'SELECT position, channel, size FROM events WHERE position > ? ORDER BY position LIMIT ?',
  allBackward: 'SELECT position, channel, size FROM events WHERE position < ? ORDER BY position DESC LIMIT ?',
  events:
    'SELECT position, previous, time, type, data FROM events WHERE channel = ? AND position BETWEEN ? AND ?',
  oldest: 'SELECT position FROM events WHERE channel = ? AND position > ? ORDER BY position LIMIT 1',
  timeAt: 'SELECT time FROM events WHERE position = ?',
  byName: 'SELECT * FROM channels WHERE name = ?',
  byId: 'SELECT name, trimmed_to, deleted_to FROM channels WHERE id = ?',
  fromName: 'SELECT * FROM channels WHERE name >= ? AND name < ? ORDER BY name LIMIT ?',
  nameAt: 'SELECT 1 FROM channels WHERE name >= ? AND name < ? LIMIT 1 OFFSET ?',
  lossesAfter:
    'SELECT * FROM channels WHERE lost_to > 0 AND (lost_to, id) > (?, ?) ORDER BY lost_to, id LIMIT ?',
  mostLost: 'SELECT max(lost_to) AS most FROM channels WHERE lost_to > 0',
  mostLoss: "SELECT value AS most FROM meta WHERE name = 'losses'",
  endsBetween: 'SELECT name, end_at FROM channels WHERE end_at > ? AND end_at <= ? ORDER BY end_at LIMIT ?',
} as const
