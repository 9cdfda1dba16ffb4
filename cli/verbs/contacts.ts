import { TallenneError } from '../../base/tallenne-error.ts'
import { contactPageSchema, contactSchema } from '../../portal/view-schemas.ts'
import { contactsPath, FILTER_HELP, FILTER_OPTIONS } from '../api/contact-search.ts'
import { describeContact, describeContacts, describeRecording } from '../api/describe-contact.ts'
import { PortalClient } from '../api/portal-client.ts'
import { CONFIG_HELP, CONFIG_OPTIONS, findConfig } from '../effective-config.ts'
import { hasFlag, textOption, type Verb } from '../verb.ts'

/** Finds contacts, or shows one. */
export const contactsVerb: Verb = {
  name: 'contacts',
  help: `Usage: tallenne contacts [filters] [--json]
       tallenne contacts ID [--json]

Lists contacts, newest first, or shows one with all its recordings.

${FILTER_HELP}
  --json                   as the API gives it
${CONFIG_HELP}`,
  options: { ...FILTER_OPTIONS, ...CONFIG_OPTIONS, json: { type: 'boolean' } },
  words: ['[ID]'],
  run: async (given, terminal) => {
    const config = findConfig(given, terminal)
    const { timeZone } = config.catchAll
    const client = await PortalClient.open(config)
    const { print } = terminal
    const [id] = given.words
    if (id !== undefined) {
      const filter = Object.keys(FILTER_OPTIONS).find((name) => textOption(given, name))
      if (filter !== undefined) {
        throw new TallenneError('option_value', `--${filter} cannot go with an ID: leave one out.`)
      }
      const contact = await client.read(`/api/contacts/${encodeURIComponent(id)}`, contactSchema)
      if (hasFlag(given, 'json')) print(JSON.stringify(contact))
      else {
        for (const line of describeContact(contact, timeZone)) print(line)
        for (const recording of contact.recordings) {
          print('')
          for (const line of describeRecording(recording, timeZone)) print(line)
        }
      }
      return 0
    }
    const page = await client.read(contactsPath(given, config), contactPageSchema)
    if (hasFlag(given, 'json')) {
      print(JSON.stringify(page))
      return 0
    }
    if (page.items.length === 0) print('No contacts.')
    else for (const line of describeContacts(page.items, timeZone)) print(line)
    if (page.nextCursor !== null) print(`More: --cursor ${page.nextCursor}`)
    return 0
  },
}
