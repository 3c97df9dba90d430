export { VirtualPlatform } from './virtual-platform.ts';
