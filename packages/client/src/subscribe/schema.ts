/** What becomes of an event's data: text, JSON, or what a schema makes of the JSON. */
import { SubscribeError } from './error.ts'
import type { Update } from './types.ts'

/** The part of Standard Schema (https://standardschema.dev) that is needed: zod, valibot and arktype have it. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | PromiseLike<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

export type Parser = 'text' | 'json' | StandardSchema

/** One for all events, or one for each type; types that are not named stay text. */
export type Parse = Parser | { readonly [type: string]: Parser }

/** @throws {SubscribeError} `invalid-data` */
export async function parsed(event: Update<string, string>, parse: Exclude<Parse, 'text'>): Promise<Update> {
  const parser =
    typeof parse === 'string' || '~standard' in parse
      ? (parse as Parser)
      : // Own members only: an event may well be of the type `constructor`.
        Object.entries(parse).find(([type]) => type === event.type)?.[1]
  if (!parser || parser === 'text') return event
  try {
    const data: unknown = JSON.parse(event.data)
    if (parser === 'json') return { ...event, data }
    const result = await parser['~standard'].validate(data)
    if (!result.issues) return { ...event, data: result.value }
    throw new Error(result.issues.map(({ message }) => message).join('; '))
  } catch (cause) {
    throw new SubscribeError('invalid-data', `${event.id}: ${String(cause)}`, {
      cause,
      event,
    })
  }
}
