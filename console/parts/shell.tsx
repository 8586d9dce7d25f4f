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
  Nav,
  NavGroup,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
} from "@patternfly/react-core";
import BarsIcon from "@patternfly/react-icons/dist/esm/icons/bars-icon";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import type { Area } from "../model/resources.ts";
import { chooseTheme, keptTheme } from "../theme/theme.ts";
import { Brand } from "./brand.tsx";
import { useConsole } from "./context.ts";
import { useEntries } from "./entries.ts";
import { Palette } from "./palette.tsx";

const areas: readonly { readonly area: Area; readonly title: string }[] = [
  { area: "workloads", title: "Workloads" },
  { area: "infrastructure", title: "Infrastructure" },
  { area: "fleet", title: "Fleet" },
];

/** The frame; the page of the route is inside. */
export function Shell() {
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  return (
    <Page
      masthead={<Head onSearch={() => setPaletteOpen(true)} />}
      sidebar={<Sidebar />}
      isManagedSidebar
      skipToContent={<SkipToContent href="#content">Skip to content</SkipToContent>}
      mainContainerId="content"
    >
      <Outlet />
      <Palette isOpen={isPaletteOpen} onChange={setPaletteOpen} />
    </Page>
  );
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
          <Link to="/" className="brand-link">
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
      popperProps={{ position: "end" }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plainText" isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
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
  return (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Areas">
          {areas.map(({ area, title }) => (
            <AreaNav key={area} area={area} title={title} />
          ))}
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
}

function AreaNav({ area, title }: { area: Area; title: string }) {
  const entries = useEntries(area);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  if (entries.length === 0) return null;
  return (
    <NavGroup title={title}>
      {entries.map(({ title: text, href }) => {
        const isHere = path === href || path.startsWith(`${href}/`);
        return (
          <li key={href} className="pf-v6-c-nav__item">
            <Link
              to={href}
              className={`pf-v6-c-nav__link${isHere ? " pf-m-current" : ""}`}
              aria-current={isHere ? "page" : undefined}
            >
              {text}
            </Link>
          </li>
        );
      })}
    </NavGroup>
  );
}
