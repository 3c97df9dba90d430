// Plain JavaScript of an old dialect: it must run, and speak, on a Node that can run nothing else of Polder.
const major = Number(process.versions.node.split('.')[0]);
if (major < 22) {
  process.stderr.write(
    `Polder needs Node 22 or newer; this is ${process.version}. On Linux \`npm ci\` brings its own Node 24; elsewhere install one from https://nodejs.org.\n`,
  );
  process.exit(1);
}
