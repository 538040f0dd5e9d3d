/** What can be done with a channel: publish to it, end it, erase it. What the hub refuses it says itself. */
import type { ComponentChildren } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { headers, send, urlOf } from '../hub.ts'
import { speech } from '../language.ts'
import { type Outcome, Publisher } from '../model/publisher.ts'
import { CHANNEL_WORDS, type ChannelWords } from '../words-channel.ts'
import { Confirm } from './confirm.tsx'

export function Publishing({
  name,
  onDone,
  onShow,
}: {
  name: string
  /** Something was stored: there may be something to hear of again. */
  onDone: () => void
  /** The event with this id is to be looked at. */
  onShow: (id: string) => void
}) {
  const words = CHANNEL_WORDS[speech.language]
  const [data, setData] = useState('{"hello":"world"}')
  const [type, setType] = useState('')
  const [outcome, setOutcome] = useState<Outcome | 'busy' | undefined>(undefined)
  const publisher = useMemo(() => new Publisher(post, newKey, wait), [name])
  const path = `channels/${encodeURIComponent(name)}`
  const publish = async (): Promise<void> => {
    if (outcome === 'busy') return
    setOutcome('busy')
    const told = await publisher.publish({ path, type, data })
    setOutcome(told)
    if (told.kind === 'published') onDone()
  }
  return (
    <form
      class="ch-publishing ch-sheet"
      aria-label={words.publishTitle}
      onSubmit={(event) => {
        event.preventDefault()
        void publish()
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
        event.preventDefault()
        void publish()
      }}
    >
      <h2>{words.publishTitle}</h2>
      <label>
        {words.type}
        <input
          value={type}
          placeholder={words.typeHint}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => setType(currentTarget.value)}
        />
      </label>
      <label>
        {words.data}
        <textarea
          rows={4}
          value={data}
          spellcheck={false}
          onInput={({ currentTarget }) => setData(currentTarget.value)}
        />
      </label>
      <div class="tools">
        <button type="submit" class="ch-main" aria-disabled={outcome === 'busy'}>
          {words.publish}
        </button>
        <kbd>Ctrl+Enter</kbd>
        <output>{said(outcome, words, onShow)}</output>
      </div>
    </form>
  )
}

function said(
  outcome: Outcome | 'busy' | undefined,
  words: ChannelWords,
  onShow: (id: string) => void,
): ComponentChildren {
  if (outcome === undefined) return ''
  if (outcome === 'busy') return words.publishing
  switch (outcome.kind) {
    case 'published':
      return (
        <>
          {outcome.repeated ? words.repeated : words.published}{' '}
          <button type="button" class="ch-link" onClick={() => onShow(outcome.id)}>
            {outcome.id}
          </button>
        </>
      )
    case 'unsure':
      return <span class="bad">{words.unsure}</span>
    case 'refused':
      return <Refusal status={outcome.status} detail={outcome.detail} />
  }
}

/** What the hub says, in its words, which are English. */
export function Refusal({ status, detail }: { status: number; detail: string }) {
  return (
    <span class="bad">
      {CHANNEL_WORDS[speech.language].refused(status)} <span lang="en">{detail}</span>
    </span>
  )
}

type Act = 'end' | 'erase'

export function Managing({ name, onErased }: { name: string; onErased: () => void }) {
  const words = CHANNEL_WORDS[speech.language]
  const [asked, setAsked] = useState<Act | undefined>(undefined)
  const [did, setDid] = useState<Act | undefined>(undefined)
  const ask = (act: Act): void => {
    setDid(undefined)
    setAsked(act)
  }
  return (
    <section class="ch-managing ch-sheet" aria-label={words.manage}>
      <h2>{words.manage}</h2>
      <p class="quiet">{words.manageWhat}</p>
      <div class="tools">
        <button type="button" onClick={() => ask('end')}>
          {words.end}
        </button>
        <button type="button" class="ch-danger" onClick={() => ask('erase')}>
          {words.erase}
        </button>
        <output>{did === undefined ? '' : did === 'end' ? words.endDone : words.eraseDone}</output>
      </div>
      {asked && (
        <Confirm
          title={asked === 'end' ? words.endTitle(name) : words.eraseTitle(name)}
          yes={asked === 'end' ? words.endYes(name) : words.eraseYes(name)}
          no={words.cancel}
          act={() => act(asked, name)}
          onClose={(done) => {
            setAsked(undefined)
            if (!done) return
            setDid(asked)
            if (asked === 'erase') onErased()
          }}
        >
          {asked === 'end' ? words.endWhat : words.eraseWhat}
        </Confirm>
      )}
    </section>
  )
}

async function act(what: Act, name: string): Promise<ComponentChildren | undefined> {
  const path = `channels/${encodeURIComponent(name)}`
  try {
    const refused = what === 'end' ? await send('POST', `${path}?end`) : await send('DELETE', path)
    return refused && <span lang="en">{refused}</span>
  } catch {
    return CHANNEL_WORDS[speech.language].unreachable
  }
}

function post(path: string, body: string, key: string): Promise<Response> {
  return fetch(urlOf(path), { method: 'POST', body, headers: { ...headers(), 'idempotency-key': key } })
}

/** `crypto.randomUUID` is for secure contexts only. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
