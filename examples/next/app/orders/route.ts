import { hub } from '../../hub'

export async function POST(request: Request) {
  const { ids } = await hub.publish('orders', { type: 'created', data: await request.text() })
  return Response.json({ id: ids[0] }, { status: 201 })
}
