/** What the tests of the hooks render, and where. */
import type { IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import { createScreen, type Screen } from './dom.ts'
import { createElement, type ReactNode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { useEvents, type UseEventsOptions } from '@downlink/client/react'

/** Renders, and unmounts when the test is over, so that its streams end. */
export function show(
  t: TestContext,
  node: ReactNode,
  screen: Screen = createScreen(t),
): Screen & { readonly root: Root } {
  const root = createRoot(screen.element)
  t.after(() => root.unmount())
  root.render(node)
  return { ...screen, root }
}

interface Props {
  readonly url: string | null
  readonly options?: UseEventsOptions
}

/** `open: one two` */
export function Orders({ url, options }: Props): ReactNode {
  const { events, connection } = useEvents(url, options)
  return createElement('p', null, `${connection.phase}:${events.map(({ data }) => ` ${data}`).join('')}`)
}

export const shows =
  (expected: string) =>
  (text: string): boolean =>
    text === expected

/** When the reader of a stream has gone. */
export const closing = (request: IncomingMessage | undefined): Promise<void> =>
  new Promise((resolve) => request?.on('error', () => {}).once('close', resolve))
