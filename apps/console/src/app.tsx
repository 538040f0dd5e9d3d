/** The page around the pages. */
import { useState } from 'preact/hooks'
import { hub, useToken } from './hub.ts'
import { speech } from './language.ts'
import { ChannelPage } from './pages/channel-page.tsx'
import { ChannelsPage } from './pages/channels-page.tsx'
import { GuidePage } from './pages/guide-page.tsx'
import { HubPage } from './pages/hub-page.tsx'
import { LabPage } from './pages/lab-page.tsx'
import { ReadersPage } from './pages/readers-page.tsx'
import { route } from './route.ts'
import { useChanging } from './store.ts'
import { LAB_WORDS } from './words-lab.ts'

export function App() {
  useChanging(route, speech, hub)
  const { words } = speech
  const { place } = route
  const links = [
    ['#/', words.hub, place.page === 'hub'],
    ['#/channels', words.channels, place.page === 'channels' || place.page === 'channel'],
    ['#/readers', words.readers, place.page === 'readers'],
    ['#/lab', LAB_WORDS[speech.language].title, place.page === 'lab'],
    ['#/guide', words.guide, place.page === 'guide'],
  ] as const
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // What is behind `#` is the page.
          event.preventDefault()
          document.getElementById('main')?.focus()
        }}
      >
        {words.skip}
      </a>
      <header class="top">
        <strong>Downlink</strong>
        <nav>
          {links.map(([href, title, current]) => (
            <a key={href} href={href} aria-current={current ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <span class={`phase ${hub.phase}`} role="status">
          {phaseWord()}
        </span>
        <button type="button" lang={speech.language === 'en' ? 'ru' : 'en'} onClick={() => speech.change()}>
          {words.language}
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        {hub.phase === 'token' ? <TokenForm /> : <Page />}
      </main>
    </>
  )
}

function phaseWord(): string {
  const { words } = speech
  switch (hub.phase) {
    case 'live':
      return words.live
    case 'connecting':
      return words.connecting
    case 'waiting':
      return words.waiting
    case 'token':
      return words.refused
    case 'over':
      return words.over
  }
}

function Page() {
  const { place } = route
  switch (place.page) {
    case 'hub':
      return <HubPage />
    case 'channels':
      return <ChannelsPage />
    case 'channel':
      return <ChannelPage key={place.name} name={place.name} />
    case 'readers':
      return <ReadersPage />
    case 'lab':
      return <LabPage />
    case 'guide':
      return <GuidePage chapter={place.chapter} heading={place.heading} />
  }
}

function TokenForm() {
  const { words } = speech
  const [text, setText] = useState('')
  return (
    <form
      class="token"
      onSubmit={(event) => {
        event.preventDefault()
        useToken(text)
      }}
    >
      <label>
        {words.token}
        <input
          type="password"
          autocomplete="off"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <button type="submit">{words.useToken}</button>
    </form>
  )
}
