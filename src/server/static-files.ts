import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

import type { HttpHandler, HttpRequest, HttpResponse } from '../net/http/http-message.js';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

// 64 MiB: a file is answered from memory; larger ones belong behind a web server made for them.
const FILE_BYTES_MAX = 64 * 1024 * 1024;

const NOT_FOUND: HttpResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: 'Not found\n',
};

/**
 * Serves the files of a folder: `/` and `/folder/` answer with their `index.html`. Nothing outside the folder is reachable,
 * not through `..` and not through links; names that begin with a dot are not served.
 */
export async function serveFolder(folder: string): Promise<HttpHandler> {
  const root = await realpath(folder);
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, headers: { allow: 'GET, HEAD' }, body: 'Only GET and HEAD are answered here.\n' };
    }
    const file = await findFile(root, request.path);
    return file === undefined ? NOT_FOUND : answerFile(file, request);
  };
}

async function findFile(root: string, path: string): Promise<string | undefined> {
  const decoded = decodePath(path);
  if (decoded === undefined || decoded.split('/').some((segment) => segment.startsWith('.')))
    return undefined;
  try {
    const wanted = await realpath(join(root, decoded));
    const found = (await stat(wanted)).isDirectory() ? await realpath(join(wanted, 'index.html')) : wanted;
    const isInside = found === root || found.startsWith(root + sep);
    const info = await stat(found);
    return isInside && info.isFile() && info.size <= FILE_BYTES_MAX ? found : undefined;
  } catch {
    // Not there, not readable, or a name the file system refuses: all the same to the one who asks.
    return undefined;
  }
}

function decodePath(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes('\0') || decoded.includes('\\') ? undefined : decoded;
  } catch {
    return undefined;
  }
}

async function answerFile(file: string, request: HttpRequest): Promise<HttpResponse> {
  const body = await readFile(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  const headers = {
    'content-type': CONTENT_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
    // Always asked for again, mostly answered with 304: whoever edits a page sees it at once.
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    etag,
  };
  if (request.headers['if-none-match'] === etag) return { status: 304, headers };
  return { status: 200, headers, body };
}
