// What has no types of its own.
declare module "highlight.js" {
  const hljs: {
    getLanguage(name: string): object | undefined;
    highlight(text: string, options: { language: string; ignoreIllegals?: boolean }): { value: string };
  };
  export default hljs;
}
