import type { Log } from '../base/log.ts'
import { Turns } from '../base/turns.ts'
import { granulePositionOf } from '../recorder/audio-length.ts'
import type { EngineSettings } from '../recorder/engine-protocol.ts'
import type { OpenPageSink } from '../recorder/page-sink.ts'
import type { Disk } from '../storage/disk/disk.ts'
import { RecipientWatch } from '../storage/encryption/recipients.ts'
import { SealedRecording } from '../storage/encryption/sealed-recording.ts'
import { RecordingFile } from '../storage/recording-file.ts'
import { spoolPathOf } from '../storage/recording-store.ts'

/** Each reads and writes 64 KiB at a time; the engine's calls come first. */
const CONVERSIONS_AT_ONCE = 4

/** How an engine's recordings come to the disk: as they are, or sealed for the owners of the keys. */
export function sinksOf(
  { spoolPath, encryption }: EngineSettings,
  disk: Disk,
  log: Log,
): OpenPageSink {
  if (encryption === undefined) {
    return (id) => new RecordingFile(spoolPathOf(spoolPath, id), { disk })
  }
  const watch = new RecipientWatch({
    settings: encryption,
    atStart: encryption.atStart,
    onProblem: (reason) => log.error({ reason }, 'recipients stay as they were'),
  })
  const turns = new Turns(CONVERSIONS_AT_ONCE)
  return (recordingId) =>
    new SealedRecording({
      recipients: watch.current,
      sealedPath: spoolPathOf(spoolPath, recordingId, 'sealed'),
      agePath: spoolPathOf(spoolPath, recordingId, 'age'),
      positionOf: granulePositionOf,
      turns,
      disk,
      onStayedSealed: (reason) =>
        log.warn({ recordingId, reason }, 'no age file could be made of a recording'),
    })
}
