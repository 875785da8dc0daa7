/*
 * The naming policy of the reference server: names of tables, columns, functions and their parameters become snake_case,
 * variants camelCase, types PascalCase. A word ends
 *
 * | at a separator: underscore, hyphen, space | insert_user -> insert, user |
 * | between lower and upper case              | FruitBasket -> Fruit, Basket |
 * | between a letter and a digit, both ways   | oneU8x -> one, U, 8, x       |
 * | before the last capital of an acronym     | HTTPServer -> HTTP, Server   |
 *
 * Separators at the ends and doubled ones leave nothing behind: `__id` and `id` become the same name.
 */

/**
 * @example
 * toSnakeCase('insertOneU8') // 'insert_one_u_8'
 */
export function toSnakeCase(name: string): string {
  return splitWords(name)
    .map((word) => word.toLowerCase())
    .join('_');
}

/**
 * @example
 * toCamelCase('send_message') // 'sendMessage'
 */
export function toCamelCase(name: string): string {
  const [first = '', ...rest] = splitWords(name);
  return first.toLowerCase() + rest.map(capitalize).join('');
}

/**
 * @example
 * toPascalCase('send_message') // 'SendMessage'
 */
export function toPascalCase(name: string): string {
  return splitWords(name).map(capitalize).join('');
}

/**
 * Every run of letters capitalised, without underscores, as Python's `str.title` makes it: the class of a table in the Python SDK
 * of 2024, which calls tables so in messages and in queries, too.
 *
 * @example
 * toTitleCase('online_user') // 'OnlineUser'
 */
export function toTitleCase(name: string): string {
  return name
    .replaceAll(/[A-Za-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase())
    .replaceAll('_', '');
}

function splitWords(name: string): string[] {
  const words: string[] = [];
  let word = '';
  const characters = Array.from(name);
  characters.forEach((character, i) => {
    if (character === '_' || character === '-' || character === ' ') {
      words.push(word);
      word = '';
      return;
    }
    if (i > 0 && endsWord(characters[i - 1]!, character, characters[i + 1])) {
      words.push(word);
      word = '';
    }
    word += character;
  });
  words.push(word);
  return words.filter((candidate) => candidate !== '');
}

function endsWord(before: string, character: string, after: string | undefined): boolean {
  if (isDigit(character)) return isUpper(before) || isLower(before);
  if (isDigit(before)) return isUpper(character) || isLower(character);
  if (!isUpper(character)) return false;
  return isLower(before) || (isUpper(before) && after !== undefined && isLower(after));
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isUpper(character: string): boolean {
  return character.toLowerCase() !== character;
}

function isLower(character: string): boolean {
  return character.toUpperCase() !== character && !isUpper(character);
}

function capitalize(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0) ?? 0);
  return first.toUpperCase() + word.slice(first.length).toLowerCase();
}
