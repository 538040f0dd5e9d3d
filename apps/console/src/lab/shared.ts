/** What the console shares with the hub's Lab: pure parts of it, that run in a browser as well. */
export { advise, DEFAULT_LATE_MS, PRESET_LATE_MS } from '../../../../packages/hub/src/lab/advice.ts'
export type {
  Advice,
  Caveat,
  PageFigures,
  Reason,
  Standing,
  Unknown,
} from '../../../../packages/hub/src/lab/advice-data.ts'
export { type AdviceWords, ENGLISH } from '../../../../packages/hub/src/lab/advice-words.ts'
export { LONG_POLL_WAIT_MS } from '../../../../packages/hub/src/lab/costs.ts'
export type { Crossing } from '../../../../packages/hub/src/lab/crossings.ts'
export { DelayCounts } from '../../../../packages/hub/src/lab/delays.ts'
export {
  ENGLISH_UNITS,
  type Figures,
  figures,
  RUSSIAN_UNITS,
} from '../../../../packages/hub/src/lab/figures.ts'
export { LAB_PRESETS, type Preset, PRESETS } from '../../../../packages/hub/src/lab/presets.ts'
export {
  DELAY_BOUNDS,
  type Delays,
  type LabEvent,
  type LabReport,
  type LabSettings,
  type Technique,
  type TechniqueReport,
  TECHNIQUES,
} from '../../../../packages/hub/src/lab/report.ts'
export {
  type Bound,
  type Bounded,
  LAB_BOUNDS,
  LAB_LIMITS,
  labSettings,
  SettingError,
  SHAPES,
} from '../../../../packages/hub/src/lab/settings.ts'
