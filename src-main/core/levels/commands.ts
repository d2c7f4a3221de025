/** The coordinator's: every member understands the log up to this level. Takes effect only while no open session says otherwise. */
export interface LevelCommand {
  readonly type: 'level-raised';
  readonly level: number;
}
