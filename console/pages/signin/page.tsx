/** Signing in: at the identity provider where there is one, or by the link that `atoll up` or `atoll console link` prints. */
import { Alert, Button, ClipboardCopy, Content, Title } from "@patternfly/react-core";
import { useEffect, useState } from "react";
import { CallFailed, send } from "../../model/call.ts";
import { Brand } from "../../parts/brand.tsx";
import { paths } from "../../paths.ts";

/** Why the portal sent somebody back here. */
const failures: Readonly<Record<string, string>> = {
  late: "That took too long, or was begun elsewhere. Please sign in again.",
  unreachable: "The identity provider does not answer. The console's log says more.",
  refused: "The identity provider did not let you in. The console's log says more.",
  unknown: "The API server does not know people of this identity provider.",
};

const keyIn = (text: string): string => /#([\w-]{43})$/.exec(text.trim())?.[1] ?? "";

/** A link is used by a click, not by being opened: programs that preview links do not spend it. */
export function SignIn({ problem, onSignedIn }: { problem: string; onSignedIn: () => Promise<void> }) {
  const [key] = useState(() => keyIn(location.href));
  const [failure, setFailure] = useState("");
  const [isBusy, setBusy] = useState(false);

  async function signIn() {
    setBusy(true);
    try {
      await send("/auth/link", { method: "POST", body: { link: key } });
      const isHere = location.pathname === paths.signIn();
      history.replaceState(undefined, "", isHere ? paths.home() : location.pathname + location.search);
      await onSignedIn();
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      setFailure(error.message);
      setBusy(false);
    }
  }

  const said = failure || problem || (failures[new URLSearchParams(location.search).get("failed") ?? ""] ?? "");
  return (
    <main className="signin">
      <div className="signin-card">
        <Brand />
        <Title headingLevel="h1" size="xl">
          {key === "" ? "Sign in" : "Welcome"}
        </Title>
        {said !== "" && <Alert variant="danger" isInline title={said} />}
        {key !== "" && failure === "" ? (
          <>
            <Content component="p">This link signs you in, once.</Content>
            <Button onClick={() => void signIn()} isLoading={isBusy} isDisabled={isBusy} isBlock>
              Sign in
            </Button>
          </>
        ) : (
          <>
            <Provider />
            <Content component="p">
              On the host that runs Atoll, this prints a link. Open it in this browser within ten minutes:
            </Content>
            <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied">
              ./atoll console link
            </ClipboardCopy>
          </>
        )}
      </div>
    </main>
  );
}

/** A page of the provider takes over: a link, not a call. */
function Provider() {
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    void send("/auth/ways").then(async (answer) => {
      const { oidc } = (await answer.json()) as { oidc: boolean };
      setThere(oidc);
    });
  }, []);
  if (!isThere) return null;
  return (
    <Button component="a" href="/auth/oidc" isBlock>
      Sign in with your organization
    </Button>
  );
}
