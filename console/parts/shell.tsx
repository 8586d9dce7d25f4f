/** The frame of every page: where one is, where one can go, who one is. */
import {
  Dropdown,
  DropdownItem,
  DropdownList,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadMain,
  MastheadToggle,
  MenuToggle,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
} from "@patternfly/react-core";
import BarsIcon from "@patternfly/react-icons/dist/esm/icons/bars-icon";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Area } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { chooseTheme, keptTheme } from "../theme/theme.ts";
import { Brand } from "./brand.tsx";
import { useConsole } from "./context.ts";
import { type Entry, useApiEntries, useEntries } from "./entries.ts";
import { Definitions } from "./definitions.tsx";
import { Palette } from "./palette.tsx";

const areas: readonly { readonly area: Area; readonly title: string }[] = [
  { area: "workloads", title: "Workloads" },
  { area: "infrastructure", title: "Infrastructure" },
  { area: "fleet", title: "Fleet" },
];

/** The frame; the page of the route is inside. */
export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  useEffect(() => {
    addEventListener("keydown", toSearch);
    return () => removeEventListener("keydown", toSearch);
  }, []);
  return (
    <Page
      masthead={<Head onSearch={() => setPaletteOpen(true)} />}
      sidebar={<Sidebar />}
      isManagedSidebar
      skipToContent={<SkipToContent href="#content">Skip to content</SkipToContent>}
      mainContainerId="content"
    >
      <Outlet />
      <Definitions />
      <Palette isOpen={isPaletteOpen} onChange={setPaletteOpen} />
    </Page>
  );
}

/** A slash goes to the page's own search, unless something is being written. */
function toSearch(event: KeyboardEvent): void {
  const { target } = event;
  const isWriting =
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
  if (event.key !== "/" || isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector<HTMLInputElement>(".tools-search input");
  if (search === null) return;
  event.preventDefault();
  search.focus();
}

function Head({ onSearch }: { onSearch: () => void }) {
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton variant="plain" aria-label="Navigation">
            <BarsIcon />
          </PageToggleButton>
        </MastheadToggle>
        <MastheadBrand>
          <Link to={paths.home()} className="brand-link">
            <Brand />
          </Link>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <button type="button" className="search-opener" onClick={onSearch}>
          <span>Go to…</span>
          <kbd>Ctrl K</kbd>
        </button>
        <PersonMenu />
      </MastheadContent>
    </Masthead>
  );
}

function PersonMenu() {
  const { person, signOut } = useConsole();
  const [isOpen, setOpen] = useState(false);
  const [theme, setTheme] = useState(keptTheme);
  const other = theme === "dark" ? "light" : "dark";
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      shouldFocusFirstItemOnOpen
      popperProps={{ position: "end" }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          className="person"
          variant="plainText"
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {person.name}
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem
          onClick={() => {
            chooseTheme(other);
            setTheme(other);
          }}
        >
          {other === "dark" ? "Dark theme" : "Light theme"}
        </DropdownItem>
        <DropdownItem onClick={() => void signOut()}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

function Sidebar() {
  const isHome = useRouterState({ select: ({ location }) => location.pathname === paths.home() });
  return (
    <PageSidebar>
      <PageSidebarBody>
        <nav aria-label="Areas" className="areas">
          <NavLink title="Overview" href={paths.home()} isHere={isHome} />
          {areas.map(({ area, title }) => (
            <AreaNav key={area} area={area} title={title} />
          ))}
          <ApiNav />
        </nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}

function AreaNav({ area, title }: { area: Area; title: string }) {
  return <Folded title={title} entries={useEntries(area)} />;
}

/** Kinds that have no place of their own. */
function ApiNav() {
  return <Folded title="API" entries={useApiEntries()} />;
}

/** An area folds away, for who has no business there. */
function Folded({ title, entries }: { title: string; entries: readonly Entry[] }) {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  if (entries.length === 0) return null;
  return (
    <details open>
      <summary>{title}</summary>
      <ul>
        {entries.map(({ title: text, href }) => (
          <li key={href}>
            <NavLink title={text} href={href} isHere={path === href || path.startsWith(`${href}/`)} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function NavLink({ title, href, isHere }: { title: string; href: string; isHere: boolean }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isHere) link.current?.scrollIntoView({ block: "nearest" });
  }, [isHere]);
  return (
    <Link ref={link} to={href} className="area-link" aria-current={isHere ? "page" : undefined}>
      {title}
    </Link>
  );
}
