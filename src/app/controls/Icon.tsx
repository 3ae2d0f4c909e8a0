const PATHS = {
  spark: 'M12 3l2.1 6.9L21 12l-6.9 2.1L12 21l-2.1-6.9L3 12l6.9-2.1z',
  dice: 'M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM8 8h.01M16 8h.01M12 12h.01M8 16h.01M16 16h.01',
  download: 'M12 4v11m0 0l-4.5-4.5M12 15l4.5-4.5M4 20h16',
  again: 'M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5',
  close: 'M6 6l12 12M18 6L6 18',
} as const;

/** Decoration only: the button's text or label says what it does. */
export function Icon({ name }: { readonly name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
