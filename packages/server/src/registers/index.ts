export { RegisterError, type RegisterErrorCode } from './error.ts';
export {
  type RegisterRange,
  type RegisterRangeOptions,
  type RegisterRead,
  type RegisterReadOptions,
  RegistersClient,
  type RegistersStatus,
  type RegisterWriteOptions,
  type RegisterWritten,
  type WeakerLevel,
} from './registers-client.ts';
export { RegistersService } from './registers-service.ts';
