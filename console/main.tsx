/** Starts the console: who is signed in, what the server serves, then the page of the URL. */
import "@patternfly/react-core/dist/styles/base-no-reset.css";
import "./theme/theme.css";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, useCallback, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { LiveConnection } from "./live/connection.ts";
import { ask, CallFailed, send } from "./model/call.ts";
import { kindsOf, renewed, served, type ServedKinds } from "./model/served.ts";
import { type ConsoleContext, Context, type Person } from "./parts/context.ts";
import { paths } from "./paths.ts";
import { SignIn } from "./pages/signin/page.tsx";
import { router } from "./routes.tsx";
import { applyTheme, keptTheme } from "./theme/theme.ts";

interface SignedIn {
  readonly person: Person;
  readonly kinds: ServedKinds;
}

/** undefined: not known yet; false: nobody. */
function Console() {
  const [signedIn, setSignedIn] = useState<SignedIn | false | undefined>();
  const [problem, setProblem] = useState("");

  const begin = useCallback(async () => {
    try {
      const person = (await (await send("/auth/session")).json()) as Person;
      setSignedIn({ person, kinds: await served(ask) });
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      setProblem(error.code === 401 ? "" : error.message);
      setSignedIn(false);
    }
  }, []);
  useEffect(() => {
    // A link that signs in waits to be used, whoever is signed in.
    if (location.pathname === paths.signIn() && location.hash.length > 1) setSignedIn(false);
    else void begin();
  }, [begin]);

  if (signedIn === undefined) return null;
  if (signedIn === false) return <SignIn problem={problem} onSignedIn={begin} />;
  return <Signed {...signedIn} onSignedOut={() => setSignedIn(false)} />;
}

function Signed({ person, kinds: first, onSignedOut }: SignedIn & { onSignedOut: () => void }) {
  const [kinds, setKinds] = useState(first);
  // The connection lasts as long as the person is the same.
  const live = useMemo(
    () => new LiveConnection({ url: `wss://${location.host}/live`, onSignedOut }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [person],
  );
  const context = useMemo(
    (): ConsoleContext => ({
      ...kindsOf(kinds),
      person,
      live,
      async rediscover() {
        try {
          const now = await served(ask);
          setKinds((before) => renewed(before, now));
        } catch (error) {
          // Not being able to ask takes nothing away.
          if (!(error instanceof CallFailed)) throw error;
        }
      },
      async signOut() {
        live.close();
        await send("/auth/sign-out", { method: "POST", body: {} });
        onSignedOut();
      },
    }),
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [person, live, kinds],
  );
  return (
    <Context value={context}>
      <RouterProvider router={router} />
    </Context>
  );
}

// A part's style that does not come, as when somebody goes elsewhere meanwhile, is no reason to do without the part.
addEventListener("vite:preloadError", (event) => {
  if (event.payload.message.startsWith("Unable to preload CSS")) event.preventDefault();
});

applyTheme(keptTheme());
const place = document.getElementById("root");
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <Console />
    </StrictMode>,
  );
}
