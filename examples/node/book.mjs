// Books, moves and cancels a visit by the inbound topic, then asks what became of each record.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'

const { ATTEND_KEY, KAFKA_BOOTSTRAP_SERVERS = '127.0.0.1:19092', ATTEND_TOPIC = 'bookings-inbound' } = process.env
const { ATTEND_BOOKING_URL = 'http://127.0.0.1:8100', CLINIC = 'EYE' } = process.env
if (!ATTEND_KEY) throw new Error('ATTEND_KEY: the key of the client whose topic it is (attend key)')

const DAY = 24 * 60 * 60 * 1000
const inDays = (days) => new Date(Date.now() + days * DAY).toISOString()

const visit = `node-${randomUUID()}`
const event = (sequence, appointment) => ({
  event_id: `${visit}-${sequence}`, // the same event has the same id, however often it is sent
  sequence, // each later change of the visit has a higher one
  appointment: { id: visit, ...appointment },
})
const booked = event(1, { status: 'booked', patient: { id: 'p-1' }, clinic: CLINIC, start: inDays(3) })
const moved = event(2, { status: 'booked', start: inDays(4) })
const cancelled = event(3, { status: 'cancelled' })

const kafka = new Kafka({ clientId: 'attend-example', brokers: KAFKA_BOOTSTRAP_SERVERS.split(','), logLevel: logLevel.ERROR })
const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 }) // nothing twice, nothing out of order
await producer.connect()

/** Sends an event, and returns where its record stands. The key is the visit's id: it keeps the visit's events in order. */
async function send(value, key = value.appointment.id) {
  const messages = [{ key, value: JSON.stringify(value), headers: { 'content-type': 'application/json' } }]
  const [{ partition, baseOffset }] = await producer.send({ topic: ATTEND_TOPIC, messages })
  return `${ATTEND_TOPIC}/${partition}/${baseOffset}`
}

/** Returns what became of a record, once it is read. */
async function fateOf(record) {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${ATTEND_BOOKING_URL}/v1/inbound/records/${record}`, {
      headers: { authorization: `Bearer ${ATTEND_KEY}` },
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    const fate = await answer.json()
    if (fate.result !== 'waiting') return fate
    await pause(200)
  }
  throw new Error(`${record} is not read yet`)
}

const records = {
  booked: await send(booked),
  moved: await send(moved),
  cancelled: await send(cancelled),
  'sent again': await send(cancelled),
  'wrong key': await send(event(4, { status: 'booked' }), 'another-visit'),
}
await producer.disconnect()

for (const [what, record] of Object.entries(records)) {
  const fate = await fateOf(record)
  const told = fate.result === 'refused' ? `${fate.code}: ${fate.detail}` : `version ${fate.version}`
  console.log(`${what.padEnd(10)}  ${record}  ${fate.result}, ${told}`)
}
