/** An error as a log shows it: nothing but its name, code, message and stack, and those of its causes. Pure. */

export interface ErrorRecord {
  readonly name: string
  readonly code?: string
  readonly message: string
  readonly stack?: string
  readonly cause?: ErrorRecord
}

const MESSAGE_LENGTH = 500
const STACK_LENGTH = 4_000
const CAUSES = 3

/** What was thrown may be anything. Members that an error has besides may hold what it was given, and are left out. */
export function errorRecord(error: unknown, causes = CAUSES): ErrorRecord {
  if (!(error instanceof Error)) return { name: typeof error, message: 'What was thrown is no error' }
  // Who made the error may have put anything there.
  const { name, message, stack, cause }: Readonly<Partial<Record<keyof Error, unknown>>> = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    name: cut(String(name), 100),
    ...(code !== undefined && { code: cut(code, 100) }),
    message: cut(String(message), MESSAGE_LENGTH),
    ...(typeof stack === 'string' && { stack: cut(framesOf(stack), STACK_LENGTH) }),
    ...(cause !== undefined && causes > 0 && { cause: errorRecord(cause, causes - 1) }),
  }
}

/** Without the message, which may be long, and is told already. */
function framesOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line))
  return frames.map((frame) => frame.trim()).join('\n')
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text
}
