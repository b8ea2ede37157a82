let input: HTMLInputElement | null = null;
let waits = false;

/** The bar's input is there, or not any more. */
export function bar(el: HTMLInputElement | null): void {
  input = el;
  if (input && waits) focusFilter();
}

/** Has the filter typed into, at once or when its bar has come. */
export function focusFilter(): void {
  waits = input === null;
  input?.focus();
  input?.select();
}
