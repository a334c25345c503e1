// Books, moves and cancels a visit by HL7 v2 over MLLP, as an interface engine does, and prints each acknowledgement.
import { randomUUID } from 'node:crypto'
import { Hl7Message } from '@medplum/core'
import { Hl7Client } from '@medplum/hl7'

const { MLLP_HOST = '127.0.0.1', MLLP_PORT = '2575', CLINIC = 'EYE' } = process.env

const DAY = 24 * 60 * 60 * 1000
const stamp = (days) => `${new Date(Date.now() + days * DAY).toISOString().replace(/\D/g, '').slice(0, 14)}+0000`

const visit = `node-${randomUUID().slice(0, 8)}`
/** Returns a message about the visit; the same message has the same MSH-10, however often it is sent. */
function message(trigger, word, start, ...without) {
  const segments = [
    `MSH|^~\\&|HIS|RIVERSIDE|ATTEND|${CLINIC}|${stamp(0)}||SIU^${trigger}|${visit}-${trigger}|P|2.5`,
    `SCH||${visit}|||||||30|MIN|^^^${start}||||||||||||||${word}`,
    'PID|1||p-1^^^RIVERSIDE^MR||Example^Ann',
    'RGS|1|A',
    `AIL|1|A|${CLINIC}^^^${CLINIC}`,
  ]
  return Hl7Message.parse(segments.filter((one) => !without.includes(one.slice(0, 3))).join('\r'))
}

const sent = {
  booked: message('S12', 'Booked', stamp(3)),
  moved: message('S13', 'Booked', stamp(4)),
  cancelled: message('S15', 'Cancelled', stamp(4)),
}
sent['sent again'] = sent.cancelled // as after an acknowledgement that was lost
sent['no SCH'] = message('S12', 'Booked', stamp(3), 'SCH')

const client = new Hl7Client({ host: MLLP_HOST, port: Number(MLLP_PORT), keepAlive: true })
for (const [name, one] of Object.entries(sent)) {
  const answer = await client.sendAndWait(one, { timeoutMs: 10_000 })
  const why = answer.getSegment('ERR')?.getField(8)?.toString() ?? ''
  console.log(`${name.padEnd(11)} ${answer.getSegment('MSA').getField(1)}  ${why}`.trimEnd())
}
await client.close()
