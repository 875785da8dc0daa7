/** What can be wrong with a module as it is written. */
export type DefinitionErrorCode =
  | 'BAD_NAME'
  | 'DUPLICATE_NAME'
  | 'BAD_COLUMN'
  | 'BAD_INDEX'
  | 'BAD_CONSTRAINT'
  | 'BAD_TYPE'
  | 'BAD_SCHEDULE'
  | 'BAD_EXPORT';

/** A module that cannot be run as it is written. The text names the place and says what to do. */
export class DefinitionError extends TypeError {
  override readonly name = 'DefinitionError';
  readonly code: DefinitionErrorCode;

  constructor(code: DefinitionErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
