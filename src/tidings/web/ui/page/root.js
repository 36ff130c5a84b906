/** The path below which this server is, with a slash at its end: "/", or "/live/" for a server that is mounted there. */
export const serverRoot = /^(.*\/)web\/(?:[0-9a-f]{12}\/|[^/]+$)/.exec(new URL(import.meta.url).pathname)?.[1] ?? "/";
