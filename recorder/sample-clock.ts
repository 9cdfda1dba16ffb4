/**
 * The recorder's grid. A position is a whole number of samples at 8 kHz on the engine's monotonic clock, so that
 * arrivals, legs and slots of all recordings of an engine share one axis.
 */
export const SAMPLE_RATE = 8000
export const SAMPLES_PER_MS = 8

/** A slot is what one Opus packet of a channel holds. */
export const SLOT_MS = 20
export const SLOT_SAMPLES = SLOT_MS * SAMPLES_PER_MS
