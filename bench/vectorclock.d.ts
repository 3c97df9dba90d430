/** What is measured of npm's `vectorclock`, which brings no types. */
declare module 'vectorclock' {
  const vectorclock: {
    compare(a: Record<string, number>, b: Record<string, number>): number;
    merge(a: Record<string, number>, b: Record<string, number>): Record<string, number>;
  };
  export default vectorclock;
}
