import { descriptors } from '../generated/descriptors.ts';
import { ServerReflectionRequest, ServerReflectionResponse } from '../generated/grpc/reflection/v1/reflection.ts';
import type { GrpcMethod } from './server.ts';
import { GrpcCode, GrpcError } from './status.ts';

/** Both versions of the reflection protocol: their messages are the same on the wire. */
export function reflectionMethods(): [string, GrpcMethod][] {
  const method: GrpcMethod = { type: 'stream', handle: (message) => [reflect(message)] };
  return ['v1', 'v1alpha'].map((version) => [
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    method,
  ]);
}

function reflect(message: Uint8Array): Uint8Array {
  let request: ServerReflectionRequest;
  try {
    request = ServerReflectionRequest.decode(message);
  } catch (cause) {
    throw new GrpcError(GrpcCode.internal, 'grpc: error unmarshalling request', { cause });
  }
  return ServerReflectionResponse.encode({
    validHost: request.host,
    originalRequest: request,
    messageResponse: answerTo(request),
  }).finish();
}

function answerTo(request: ServerReflectionRequest): ServerReflectionResponse['messageResponse'] {
  const asked = request.messageRequest;
  switch (asked?.$case) {
    case 'listServices': {
      const service = descriptors.flatMap((file) => file.services.map((name) => ({ name })));
      return { $case: 'listServicesResponse', value: { service } };
    }
    case 'fileByFilename':
      return files(descriptors.find((file) => file.name === asked.value)?.name, asked.value);
    case 'fileContainingSymbol':
      return files(descriptors.find((file) => file.symbols.includes(asked.value))?.name, asked.value);
    case 'fileContainingExtension':
      return notFound(asked.value.containingType);
    case 'allExtensionNumbersOfType': {
      const known = descriptors.some((file) => file.symbols.includes(asked.value));
      if (!known) return notFound(asked.value);
      return { $case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value, extensionNumber: [] } };
    }
    case undefined:
      return { $case: 'errorResponse', value: { errorCode: GrpcCode.invalidArgument, errorMessage: 'nothing asked' } };
  }
}

function files(name: string | undefined, asked: string): ServerReflectionResponse['messageResponse'] {
  if (name === undefined) return notFound(asked);
  const names = new Set([name]);
  // A set grows while it is walked: this visits the dependencies of dependencies too.
  for (const each of names) {
    for (const dependency of descriptors.find((file) => file.name === each)?.dependencies ?? []) names.add(dependency);
  }
  const fileDescriptorProto = descriptors
    .filter((file) => names.has(file.name))
    .map((file) => new Uint8Array(Buffer.from(file.base64, 'base64')));
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function notFound(what: string): ServerReflectionResponse['messageResponse'] {
  return { $case: 'errorResponse', value: { errorCode: GrpcCode.notFound, errorMessage: `not found: ${what}` } };
}
