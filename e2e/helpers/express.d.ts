/** As much of Express as the tests and examples touch: it brings no types of its own. */
declare module 'express' {
  import type { IncomingMessage, Server, ServerResponse } from 'node:http'

  interface Request extends IncomingMessage {
    readonly path: string
    readonly body: unknown
  }
  interface Response extends ServerResponse {
    status(code: number): this
    type(type: string): this
    json(value: unknown): this
    send(body: string): this
  }
  type Handler = (req: Request, res: Response, next: (error?: unknown) => void) => void | Promise<void>
  interface Application {
    use(handler: Handler): this
    use(path: string, handler: Handler): this
    post(path: string, handler: Handler): this
    listen(port: number, listening: () => void): Server
    listen(port: number, host: string): Server
  }
  function express(): Application
  namespace express {
    function json(): Handler
  }
  export default express
}
