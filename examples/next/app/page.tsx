'use client'
import { useEffect, useState } from 'react'

export default function Orders() {
  const [orders, setOrders] = useState<string[]>([])
  useEffect(() => {
    const source = new EventSource('/updates/channels/orders?last=10')
    source.addEventListener('created', ({ data }) => setOrders((before) => [...before, data]))
    return () => source.close()
  }, [])
  return (
    <ul>
      {orders.map((order, i) => (
        <li key={i}>{order}</li>
      ))}
    </ul>
  )
}
