// The types of what the page uses.
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function render(tree: any, parent: HTMLElement): void;
type Change<T> = (next: T | ((before: T) => T)) => void;
export function useState<T>(first: T): [T, Change<T>];
export function useEffect(effect: () => any, inputs?: any[]): void;
export function useLayoutEffect(effect: () => any, inputs?: any[]): void;
export function useRef<T>(first: T): { current: T };
export function useMemo<T>(make: () => T, inputs: any[]): T;
export function useCallback<T>(call: T, inputs: any[]): T;
