// Makes src/generated/ from proto/: TypeScript codecs, and the descriptors that gRPC reflection serves.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const buf = join(dirname(require.resolve('@bufbuild/buf/package.json')), 'bin', 'buf');
const plugin = join(dirname(require.resolve('ts-proto/package.json')), 'protoc-gen-ts_proto');
const out = join(root, 'src', 'generated');

const options = [
  'esModuleInterop=true',
  'importSuffix=.ts',
  'forceLong=bigint',
  'oneof=unions-value',
  'enumsAsLiterals=true',
  'useOptionals=none',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'outputServices=none',
  'outputTypeAnnotations=false',
  'unrecognizedEnum=false',
  'removeEnumPrefix=false',
  'onlyTypes=false',
];
const template = {
  version: 'v2',
  plugins: [{ local: [process.execPath, plugin], out: 'src/generated', opt: options }],
};

function run(...args) {
  return execFileSync(process.execPath, [buf, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
}

function symbolsOf(file) {
  const symbols = [];
  const prefix = file.package === '' ? '' : `${file.package}.`;
  const visit = (scope, message) => {
    const name = `${scope}${message.name}`;
    symbols.push(name, ...message.field.map((field) => `${name}.${field.name}`));
    symbols.push(...message.enumType.map((each) => `${name}.${each.name}`));
    for (const nested of message.nestedType) visit(`${name}.`, nested);
  };
  for (const message of file.messageType) visit(prefix, message);
  for (const service of file.service) {
    const name = `${prefix}${service.name}`;
    symbols.push(name, ...service.method.map((method) => `${name}.${method.name}`));
  }
  return symbols;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
run('generate', 'proto', '--template', JSON.stringify(template));

// buf finds no pipe on Windows, so the descriptors go through a file.
const scratch = mkdtempSync(join(tmpdir(), 'polder-generate-'));
try {
  const target = join(scratch, 'descriptors.binpb');
  run('build', 'proto', '--as-file-descriptor-set', '-o', target);
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(target));
  const files = set.file.map((file) => ({
    name: file.name,
    dependencies: file.dependency,
    services: file.service.map((service) => `${file.package}.${service.name}`),
    symbols: symbolsOf(file),
    base64: Buffer.from(toBinary(FileDescriptorProtoSchema, file)).toString('base64'),
  }));
  const type = '{ name: string; dependencies: string[]; services: string[]; symbols: string[]; base64: string }[]';
  writeFileSync(
    join(out, 'descriptors.ts'),
    `/** What gRPC reflection serves. Generated. */\nexport const descriptors: ${type} = ${JSON.stringify(files, null, 2)};\n`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
