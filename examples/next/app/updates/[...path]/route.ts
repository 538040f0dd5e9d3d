import { fetchHandler } from '@downlink/hub/fetch'
import { hub } from '../../../hub'

// Everyone may read; only this program publishes.
const updates = fetchHandler(hub, { mount: '/updates', authorize: (_request, action) => action === 'read' })

export const GET = (request: Request) => updates(request)
