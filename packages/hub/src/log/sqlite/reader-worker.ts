/** The thread that reads, so that neither an fsync nor a long catch-up stops delivery. */
import { workerData } from 'node:worker_threads'
import type { LogPage } from '../log.ts'
import type { ListRequest, ReadRequest } from './messages.ts'
import { openForReading } from './open.ts'
import { packPage, type PackedPage } from './page-packing.ts'
import { ReaderStore, type Steps } from './reader-store.ts'
import { isDamage, isSerious, toLogError } from './sqlite-error.ts'
import { answerCalls } from './thread.ts'

const { path } = workerData as { readonly path: string }
let open: { readonly db: ReturnType<typeof openForReading>; readonly store: ReaderStore } | undefined

/** What is damaged stays so, whatever else can still be read. */
let damage: Error | undefined

function* guarded<T>(work: (store: ReaderStore) => Steps<T>): Steps<T> {
  try {
    if (open === undefined) {
      const db = openForReading(path)
      open = { db, store: new ReaderStore(db) }
    }
    return yield* work(open.store)
  } catch (error) {
    if (open?.db.isTransaction) open.db.exec('ROLLBACK')
    if (isDamage(error)) damage = error
    if (isSerious(error)) {
      open?.db.close()
      open = undefined
    }
    throw toLogError(error, path)
  }
}

function* packed(page: Steps<LogPage>): Steps<PackedPage> {
  return packPage(yield* page)
}

function* probe(store: ReaderStore): Steps<void> {
  if (damage) throw damage
  yield
  store.probe()
}

answerCalls({
  read: (request: ReadRequest) => guarded((store) => packed(store.read(request))),
  list: (request: ListRequest) => guarded((store) => store.list(request)),
  probe: () => guarded(probe),
  close: () => {
    open?.db.close()
    open = undefined
  },
})
