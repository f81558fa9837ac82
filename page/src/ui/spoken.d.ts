// Made by tools/texts.mjs out of page/texts.
declare module 'spoken' {
  const spoken: { readonly [code: string]: { readonly [saying: string]: string } };
  export default spoken;
}
