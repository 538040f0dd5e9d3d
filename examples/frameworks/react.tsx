import { useEvents } from '@downlink/client/react'

export default function Orders() {
  const { events, connection } = useEvents('/channels/orders', { last: 10 })
  return (
    <>
      <p>{connection.phase}</p>
      <ul>
        {events.map(({ id, data }) => (
          <li key={id}>{data}</li>
        ))}
      </ul>
    </>
  )
}
