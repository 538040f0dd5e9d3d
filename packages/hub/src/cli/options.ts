/** The options that all clients of a hub have. */
import { Option } from 'commander'
import { DEFAULT_HUB, headersValue, hubValue } from './values.ts'

export function hubOption(): Option {
  return new Option('--hub <url>', 'where the hub is')
    .env('DOWNLINK_URL')
    .default(DEFAULT_HUB)
    .argParser(hubValue)
}

export function headerOption(): Option {
  return new Option(
    '-H, --header <header>',
    "a header to send, such as 'Authorization: Bearer …' (repeatable)",
  ).argParser(headersValue)
}
