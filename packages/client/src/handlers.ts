/** The `on…` attributes: event handlers of the HTML standard (8.1.8.1). */

/** `this` is the source. It is not said in the type, so that ours will do where TypeScript knows the browser's `EventSource` only. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Handler<E> = ((this: any, event: E) => unknown) | null

/** A listener of the kind that is an object. */
interface Held extends EventListenerObject {
  value: Function
}

/** By type. */
export type Handlers = Record<string, Held | undefined>

/**
 * A handler is one listener among the others: a new value takes the place of the old one, while a handler that was taken
 * away comes back as the last. What is no object takes it away, and an object that cannot be called does nothing.
 */
export function setHandler(target: EventTarget, handlers: Handlers, type: string, value: unknown): void {
  const held = handlers[type]
  if (!isObject(value)) {
    target.removeEventListener(type, held ?? null)
    handlers[type] = undefined
  } else if (held) held.value = value as Function
  else {
    handlers[type] = {
      value: value as Function,
      handleEvent(event) {
        this.value.call?.(target, event)
      },
    }
    target.addEventListener(type, handlers[type])
  }
}

/** Functions are objects, too. */
export function isObject(value: unknown): value is object {
  return Object(value) === value
}
