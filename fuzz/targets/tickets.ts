/** Tickets: what was not sealed with this hub's key opens nothing. */
import { createCipheriv, hkdfSync } from 'node:crypto'
import { type Ticket, Tickets } from '../../packages/hub/src/auth/tickets.ts'
import { mutateText, NASTY } from '../mutate.ts'
import type { Random } from '../random.ts'
import { must, mustNotPollute, type Target } from '../target.ts'

const SECRET = 'a secret of at least thirty-two bytes'
const KEY = Buffer.from(hkdfSync('sha256', SECRET, '', 'downlink ticket 1', 32))
const HEADERS = [
  '{"alg":"dir","enc":"A256GCM"}',
  '{"alg":"dir","enc":"A256GCM","zip":"DEF"}',
  '{"alg":"none"}',
  '{"alg":"dir","enc":"A128GCM"}',
  '{"enc":"A256GCM","alg":"dir","crit":["x"],"x":1}',
  '{}',
]

function ticketOf(subject: string): Ticket {
  return { id: `id-${subject}`, subject, channels: ['a', 'b.**'], issued: 1, until: 2 }
}

/** Sealed by `node:crypto`, with a nonce of the subject's: so that they are the same each time. */
function sealed(plaintext: string, nonce: number, header = HEADERS[0] as string, key: Buffer = KEY): string {
  const iv = Buffer.alloc(12, nonce)
  const head = Buffer.from(header).toString('base64url')
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(head))
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return [
    head,
    '',
    iv.toString('base64url'),
    body.toString('base64url'),
    cipher.getAuthTag().toString('base64url'),
  ].join('.')
}

const SUBJECTS = ['alice', 'bob', '', 'é'.repeat(100)]
const GOOD = new Map(
  SUBJECTS.map((subject, index) => {
    const plaintext = JSON.stringify(ticketOf(subject))
    return [sealed(plaintext, index + 1), plaintext]
  }),
)
const GOOD_ONES = [...GOOD.keys()]
const FORGED = [
  ...HEADERS.slice(1).map((header, index) => sealed(JSON.stringify(ticketOf('eve')), 50 + index, header)),
  sealed(JSON.stringify(ticketOf('eve')), 60, HEADERS[0], Buffer.alloc(32, 1)),
  'a..b.c.d',
  '....',
  '',
]

export const tickets: Target<string> = {
  name: 'tickets',
  claim: 'A ticket opens as it was sealed, or not at all.',
  count: 1_000_000,
  short: 5_000,
  corpus: [...GOOD_ONES, ...FORGED],
  make(random) {
    const text = random.oneIn(10)
      ? random.pick(GOOD_ONES)
      : random.oneIn(4)
        ? spliced(random)
        : random.pick([...GOOD_ONES, ...FORGED])
    return random.oneIn(3)
      ? text
      : mutateText(random, text, ['.', '..', 'A', '-', '_', '=', ...NASTY.slice(0, 3)])
  },
  async check(text) {
    const opened = await desk.open(text)
    mustNotPollute()
    if (GOOD.has(text)) {
      must(JSON.stringify(opened) === GOOD.get(text), 'a ticket does not open as it was sealed')
      return 'opened'
    }
    if (opened === undefined) return 'refused'
    // In the last character of a part there are bits that say nothing: it is the same ticket, written otherwise.
    must([...GOOD.values()].includes(JSON.stringify(opened)), 'a ticket that nobody sealed opens')
    must(sameBytes(text), 'a ticket opens though its bytes are others')
    return 'opened, written otherwise'
  },
}

const desk = new Tickets(SECRET)

function sameBytes(text: string): boolean {
  const bytesOf = (ticket: string): string =>
    ticket
      .split('.')
      .slice(2)
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.')
  return GOOD_ONES.some(
    (good) => good.split('.')[0] === text.split('.')[0] && bytesOf(good) === bytesOf(text),
  )
}

/** The parts of two. */
function spliced(random: Random): string {
  const parts = random.pick(GOOD_ONES).split('.')
  const others = random.pick([...GOOD_ONES, ...FORGED]).split('.')
  return parts.map((part, index) => (random.oneIn(2) ? part : (others[index] ?? ''))).join('.')
}
