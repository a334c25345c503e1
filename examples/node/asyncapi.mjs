// Validates an AsyncAPI document and says which topics it has: node asyncapi.mjs FILE
import { readFile } from 'node:fs/promises'
import { Parser } from '@asyncapi/parser'

const ERROR = 0, WARNING = 1

const { document, diagnostics } = await new Parser().parse(await readFile(process.argv[2], 'utf8'))
const faults = diagnostics.filter(({ severity }) => severity === ERROR || severity === WARNING)
for (const { path, message } of faults) console.error(`${path.join('.')}: ${message}`)
if (document === undefined || faults.length > 0) process.exit(1)

const channels = document.channels().all()
const messages = document.components().messages().all()
console.log(`AsyncAPI ${document.version()}: ${channels.length} topics, ${messages.length} messages, no faults`)
