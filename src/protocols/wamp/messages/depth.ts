// Deep enough for any document, shallow enough for recursive encoders on a default stack (some 10,000 frames).
export const DEPTH_MAX = 256;
