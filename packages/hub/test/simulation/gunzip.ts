/** What a stream of gzip says so far: as `createGunzip` would have it, but at once, since simulated time stands still meanwhile. */
import { constants, gunzipSync } from 'node:zlib'

export class Gunzip {
  #bytes: Uint8Array = new Uint8Array(0)
  #told = 0

  /** What these bytes add. */
  feed(bytes: Uint8Array): Uint8Array {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const text = gunzipSync(this.#bytes, { finishFlush: constants.Z_SYNC_FLUSH })
    const news = text.subarray(this.#told)
    this.#told = text.length
    return news
  }

  /** @throws {Error} when it is not whole: its trailer is missing, or is that of something else */
  end(): void {
    gunzipSync(this.#bytes)
  }
}
