import { homeFolder } from '../../src-main/hosts/home-folder.ts'; export const z = homeFolder;
