export { type EventSink, RealClock, RealRandom, RealWorld, type RealWorldOptions } from './real-world.ts';
