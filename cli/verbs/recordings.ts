import { Readable } from 'node:stream'
import { z } from 'zod'
import { TallenneError } from '../../base/tallenne-error.ts'
import { contactPageSchema, recordingSchema, storedFileSchema } from '../../portal/view-schemas.ts'
import { contactsPath, FILTER_HELP, FILTER_OPTIONS } from '../api/contact-search.ts'
import { describeRecording, describeRecordings } from '../api/describe-contact.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { type Given, hasFlag, type Terminal, textOption, type Verb } from '../verb.ts'
import { writeWhole } from '../write-whole.ts'

const detailsSchema = z.looseObject({
  recording: recordingSchema,
  stored: storedFileSchema,
  contactId: z.string(),
  serviceLine: z.string(),
})

const COMMON_HELP = `  --json          as the API gives it
${CONFIG_HELP}`

/** Finds recordings. */
export const recordingsVerb: Verb = {
  name: 'recordings',
  help: `Usage: tallenne recordings [filters] [--json]
       tallenne recordings show ID       everything about one recording
       tallenne recordings verdict ID    its verdict in one line
       tallenne recordings get ID -o FILE
       tallenne recordings verify        whether the files are as they were written

Lists recordings by their contacts, newest first. Why one is still here says
"tallenne retention explain ID".

${FILTER_HELP}
  --json                   as the API gives it
${CONFIG_HELP}`,
  options: { ...FILTER_OPTIONS, ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: [],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const client = await PortalClient.open(config)
    const page = await client.read(contactsPath(given, config), contactPageSchema)
    const { print } = terminal
    const recordings = page.items.flatMap((contact) => contact.recordings)
    if (hasFlag(given, 'json')) {
      print(JSON.stringify({ items: recordings, nextCursor: page.nextCursor }))
      return 0
    }
    if (recordings.length === 0) print('No recordings.')
    else for (const line of describeRecordings(page.items, config.catchAll.timeZone)) print(line)
    if (page.nextCursor !== null) print(`More: --cursor ${page.nextCursor}`)
    return 0
  },
}

/** Shows everything about one recording. */
export const recordingsShowVerb: Verb = {
  name: 'recordings show',
  help: `Usage: tallenne recordings show ID [--json]

Shows everything about one recording.

${COMMON_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: ['ID'],
  run: async (given, terminal) => {
    const { config, details } = await readDetails(given, terminal)
    const { print } = terminal
    if (hasFlag(given, 'json')) {
      print(JSON.stringify(details))
      return 0
    }
    const lines = describeRecording(details.recording, config.catchAll.timeZone)
    for (const line of lines) print(line)
    print(`  file           ${describeFile(details.stored)}`)
    print(`  service line   ${details.serviceLine}`)
    print(`  contact        ${details.contactId}`)
    return 0
  },
}

/** Tells a recording's verdict; the exit code is 0 where it is complete. */
export const recordingsVerdictVerb: Verb = {
  name: 'recordings verdict',
  help: `Usage: tallenne recordings verdict ID [--json]

Tells a recording's verdict in one line. The exit code is 0 where it is complete, 1 where it is
not, so that scripts can ask.

${COMMON_HELP}`,
  options: { ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: ['ID'],
  run: async (given, terminal) => {
    const { details } = await readDetails(given, terminal)
    const { state, reasons, durationMs, lostMs } = details.recording
    if (hasFlag(given, 'json')) {
      terminal.print(JSON.stringify({ state, reasons, durationMs, lostMs }))
    } else {
      terminal.print([state, ...reasons].join(' '))
    }
    return state === 'complete' ? 0 : 1
  },
}

/** Fetches a recording's audio. */
export const recordingsGetVerb: Verb = {
  name: 'recordings get',
  help: `Usage: tallenne recordings get ID -o FILE [--format ogg|webm|mp3|wav]

Fetches a recording's audio into a file. It appears under its name when it is whole.

  -o, --output FILE   the file to write
  --format NAME       ogg (as recorded, the usual one), webm, mp3 or wav
${CONFIG_HELP}`,
  options: {
    ...CONFIG_OPTIONS,
    output: { type: 'string', short: 'o' },
    format: { type: 'string' },
  },
  words: ['ID'],
  run: async (given, terminal) => {
    const [id = ''] = given.words
    const output = textOption(given, 'output')
    if (output === undefined) {
      throw new TallenneError('missing_option', 'recordings get needs -o FILE: where to write it.')
    }
    const format = textOption(given, 'format')
    const query = format === undefined ? '' : `?format=${encodeURIComponent(format)}`
    const client = await PortalClient.open(findConfig(given, terminal))
    const response = await client.get(`/api/recordings/${encodeURIComponent(id)}/audio${query}`)
    const bytes = await writeWhole(output, Readable.from(response.body ?? []))
    terminal.print(`${output}: ${bytes} bytes`)
    return 0
  },
}

function describeFile({ encryption, bytes }: z.infer<typeof storedFileSchema>): string {
  const size = bytes === null ? '' : `, ${bytes} bytes`
  switch (encryption) {
    case 'none':
      return `in the clear${size}`
    case 'age':
      return `age${size}`
    case 'sealed':
      return `sealed, as a crash left it${size}`
  }
}

async function readDetails(given: Given, terminal: Terminal) {
  const [id = ''] = given.words
  const config = findConfig(given, terminal)
  const client = await PortalClient.open(config)
  const details = await client.read(`/api/recordings/${encodeURIComponent(id)}`, detailsSchema)
  return { config, details }
}
