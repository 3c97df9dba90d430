/** The zoo: every classic mistake as a switch, for tests and the lab. No member that serves can have one on. */
export { type Bug, type Detection, type DetectOptions, detect } from './bug.ts';
export { BUGS } from './bugs.ts';
