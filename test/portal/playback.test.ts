import t from 'tap'
import { chromiumMissing, startChromium } from './chromium.ts'
import { startTestPortal, TOKEN } from './portal.ts'
import { AGENT_HZ, CALLER_HZ, twoParties } from './two-parties.ts'

t.test('recordings play in Chromium', { skip: chromiumMissing }, async (t) => {
  const portal = await startTestPortal()
  t.teardown(() => portal.close())
  const browser = await startChromium()
  t.teardown(() => browser.close())
  const { recordingId } = await portal.addRecording(twoParties(30))
  const context = await browser.newContext({
    bypassCSP: true,
    extraHTTPHeaders: { authorization: `Bearer ${TOKEN}` },
  })
  const page = await context.newPage()
  await page.goto(portal.url)

  for (const format of ['ogg', 'webm', 'mp3', 'wav']) {
    const path = `/api/recordings/${recordingId}/audio?format=${format}`
    // In the browser, whose types this program does not have: so the script is a text.
    const played = await page.evaluate(`(async () => {
      const audio = new Audio(${JSON.stringify(path)})
      const passed = new Promise((resolve, reject) => {
        audio.addEventListener('timeupdate', () => audio.currentTime > 0.3 && resolve())
        audio.addEventListener('error', () => reject(new Error(audio.error.message)))
      })
      await audio.play()
      await passed
      const heard = { seconds: audio.duration }
      audio.pause()
      const bytes = await (await fetch(${JSON.stringify(path)})).arrayBuffer()
      const decoded = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes)
      const zeroCrossings = (channel) => {
        const samples = decoded.getChannelData(channel)
        let crossings = 0
        for (let i = 24001; i < 24000 + 48000; i++) if (samples[i - 1] < 0 && samples[i] >= 0) crossings++
        return crossings
      }
      return {
        ...heard,
        decodedSeconds: decoded.duration,
        leftHz: zeroCrossings(0),
        rightHz: zeroCrossings(1),
      }
    })()`)
    const { seconds, decodedSeconds, leftHz, rightHz } = played as Record<string, number>
    t.comment(format, played)
    t.ok(Math.abs((decodedSeconds ?? 0) - 30) < 0.2, `${format} decodes to ${decodedSeconds} s`)
    t.ok(Math.abs((leftHz ?? 0) - CALLER_HZ) < 3, `${format}: ${leftHz} Hz left`)
    t.ok(Math.abs((rightHz ?? 0) - AGENT_HZ) < 3, `${format}: ${rightHz} Hz right`)
    if (format === 'ogg') t.ok(Math.abs((seconds ?? 0) - 30) < 0.1, `lasts ${seconds} s`)
  }

  const sought = await page.evaluate(`(async () => {
    const audio = new Audio('/api/recordings/${recordingId}/audio')
    const once = (event) => new Promise((resolve) => audio.addEventListener(event, resolve, { once: true }))
    audio.preload = 'metadata'
    await once('loadedmetadata')
    audio.currentTime = 29
    await once('seeked')
    const from = audio.currentTime
    await audio.play()
    await once('ended')
    return { from, to: audio.currentTime }
  })()`)
  t.match(sought, { from: 29 })
  t.ok(Math.abs((sought as { to: number }).to - 30) < 0.1, 'plays from a place to the end')
})
