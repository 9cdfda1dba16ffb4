import t from 'tap'
import { configSchema } from '../../config/config.ts'
import { createIdentification } from '../../gateway/siprec/identification.ts'
import { G711_CAPABILITIES } from '../../gateway/siprec/media-capabilities.ts'
import { warmUp } from '../../gateway/warm-up.ts'

t.test('the made-up session can be read and answered to its end', async (t) => {
  const config = configSchema.parse({})
  let answered = 0
  const capabilities = {
    ...G711_CAPABILITIES,
    get maxStreams() {
      answered++
      return 8
    },
  }
  warmUp(capabilities, {
    identification: createIdentification(config.identification),
    lines: config,
  })
  t.ok(answered >= 50)
})
