// grpc.reflection.v1.ServerReflection over the raw descriptors, so that any generic client (`buf curl`, Postman, ...) can call a
// listener without our .proto files. Each listener lists the services registered on it and no others.

import { status, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import { descriptorSet, reflectionService } from '../definitions.ts';
import type { ServerReflectionRequestOutput } from '../generated/grpc/reflection/v1/ServerReflectionRequest.ts';
import type { ServerReflectionResponse } from '../generated/grpc/reflection/v1/ServerReflectionResponse.ts';
import { DescriptorIndex, type DescriptorFile } from './descriptor-index.ts';
import { guardedService, UndecodableRequest } from './request-guard.ts';

type ReflectionAnswer = Omit<ServerReflectionResponse, 'validHost' | 'originalRequest'>;

const notFound = (message: string): ReflectionAnswer => ({
  errorResponse: { errorCode: status.NOT_FOUND, errorMessage: message },
});

/** Answers one reflection request. `sent` holds the files this stream has sent already: they are not repeated. */
export function answerReflection(
  index: DescriptorIndex,
  services: readonly string[],
  request: ServerReflectionRequestOutput,
  sent: Set<string>,
): ReflectionAnswer {
  const files = (file: DescriptorFile | undefined, what: string): ReflectionAnswer => {
    if (file === undefined) return notFound(`${what} is not known here`);
    const wanted = index.withDependencies(file).filter((each) => each === file || !sent.has(each.name));
    for (const each of wanted) sent.add(each.name);
    return { fileDescriptorResponse: { fileDescriptorProto: wanted.map((each) => each.bytes) } };
  };
  switch (request.messageRequest) {
    case 'listServices':
      return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return files(index.fileByName(request.fileByFilename ?? ''), `file ${request.fileByFilename ?? ''}`);
    case 'fileContainingSymbol':
      return files(
        index.fileBySymbol(request.fileContainingSymbol ?? ''),
        `symbol ${request.fileContainingSymbol ?? ''}`,
      );
    case 'allExtensionNumbersOfType':
      // proto3 without extensions: a known message has none.
      return index.fileBySymbol(request.allExtensionNumbersOfType ?? '') === undefined
        ? notFound(`type ${request.allExtensionNumbersOfType ?? ''} is not known here`)
        : {
            allExtensionNumbersResponse: {
              baseTypeName: request.allExtensionNumbersOfType ?? '',
              extensionNumber: [],
            },
          };
    case 'fileContainingExtension':
      return notFound('there are no extensions here');
    case undefined:
    default:
      return { errorResponse: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'an empty request' } };
  }
}

/** The full name of a service, e.g. `tidemark.v1.LogService`, from its methods' paths. */
export function serviceName(definition: ServiceDefinition): string {
  const [method] = Object.values(definition);
  return method === undefined ? '' : method.path.slice(1, method.path.lastIndexOf('/'));
}

/** The same service under the name it had before it was stable, which older clients still ask for. */
function alphaDefinition(): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(reflectionService as ServiceDefinition).map(([name, method]) => [
      name,
      { ...method, path: method.path.replace('grpc.reflection.v1.', 'grpc.reflection.v1alpha.') },
    ]),
  );
}

/** Service definitions with their implementation, v1 and v1alpha. `services` is asked at each request. */
export function reflectionHandlers(
  services: () => readonly string[],
): readonly (readonly [ServiceDefinition, UntypedServiceImplementation])[] {
  let index: DescriptorIndex | undefined;
  const serverReflectionInfo: handleBidiStreamingCall<
    ServerReflectionRequestOutput | UndecodableRequest,
    ServerReflectionResponse
  > = (call) => {
    // Parsed at the first use: a broker nobody reflects on does not pay for it.
    index ??= new DescriptorIndex(descriptorSet);
    const descriptors = index;
    const sent = new Set<string>();
    call.on('data', (request: ServerReflectionRequestOutput | UndecodableRequest) => {
      if (request instanceof UndecodableRequest) {
        call.emit('error', { code: status.INVALID_ARGUMENT, details: request.reason });
        return;
      }
      const answer = answerReflection(descriptors, services(), request, sent);
      const taken = call.write({ validHost: request.host, originalRequest: request, ...answer });
      if (!taken) {
        call.pause();
        call.once('drain', () => call.resume());
      }
    });
    call.on('end', () => {
      call.end();
    });
  };
  const implementation: UntypedServiceImplementation = { serverReflectionInfo };
  return [
    [guardedService(reflectionService), implementation],
    [guardedService(alphaDefinition()), implementation],
  ];
}
