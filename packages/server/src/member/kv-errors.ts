import { KV_ERRORS, type KvErrorCode, type KvResponse, type KvResult } from '@polder/core/kv';
import { OperationError } from '../embedding/index.ts';

/** `emptyKey` becomes `EmptyKey`: a request that does not fit, or a revision that is not there. Nothing was changed. */
export function kvError(code: KvErrorCode): OperationError {
  return new OperationError(`${code.charAt(0).toUpperCase()}${code.slice(1)}`, 'notApplied', KV_ERRORS[code].text);
}

export function responseOf<Type extends KvResponse['type']>(
  result: KvResult,
  type: Type,
): Extract<KvResponse, { type: Type }> {
  if (result.type === 'error') throw kvError(result.code);
  const { response } = result;
  if (response.type !== type) throw new TypeError(`the store answered ${type} with ${response.type}`);
  return response as Extract<KvResponse, { type: Type }>;
}
