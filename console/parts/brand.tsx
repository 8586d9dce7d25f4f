/** The name, with its ring of islands. */
export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <circle className="brand-ring" cx="16" cy="16" r="11" transform="rotate(-60 16 16)" />
        <circle className="brand-core" cx="16" cy="16" r="3" />
      </svg>
      Atoll
    </span>
  );
}
