// What has no types of its own.
declare module "highlight.js" {
  const hljs: {
    getLanguage(name: string): { name?: string } | undefined;
    highlight(text: string, options: { language: string; ignoreIllegals?: boolean }): { value: string };
  };
  export default hljs;
}

declare module "emoji" {
  const emoji: Record<string, string>;
  export default emoji;
}
