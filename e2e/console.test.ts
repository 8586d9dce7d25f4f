/** The console in a real browser, against the real server with its controllers: what people see and do there. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { noBrowser, openBrowser } from "./browser.ts";
import {
  assertAccessible,
  assertAccessibleNarrow,
  openStage,
  openWindow,
  picture,
  signIn,
  type Stage,
} from "./consolestage.ts";

const deployment = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}"}]}
`;

const ferries = JSON.stringify({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "ferrylines.sea.example" },
  spec: {
    group: "sea.example",
    scope: "Namespaced",
    names: { plural: "ferrylines", kind: "FerryLine", shortNames: ["fl"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        additionalPrinterColumns: [
          { name: "Harbour", type: "string", jsonPath: ".spec.harbour" },
          { name: "Boats", type: "integer", jsonPath: ".spec.boats" },
          { name: "Status", type: "string", jsonPath: ".status.conditions[0].type" },
        ],
        schema: {
          openAPIV3Schema: {
            type: "object",
            required: ["spec"],
            properties: {
              spec: {
                type: "object",
                required: ["harbour"],
                properties: {
                  harbour: { type: "string" },
                  boats: { type: "integer", default: 7, description: "How many sail on it." },
                },
              },
              status: {
                type: "object",
                properties: {
                  conditions: {
                    type: "array",
                    items: { type: "object", properties: { type: { type: "string" }, status: { type: "string" } } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
});

const ferry = (harbour: string) => `apiVersion: sea.example/v1
kind: FerryLine
metadata:
  name: north
status:
  conditions:
    - {type: Ready, status: "True"}
spec:
  harbour: ${harbour}
`;

describe("the console", { skip: noBrowser() ?? false }, () => {
  let stage: Stage;
  let browser: Browser;
  let page: Page;
  let healthy: () => void;

  before(async () => {
    [stage, browser] = await Promise.all([openStage(), openBrowser()]);
    ({ page, healthy } = await openWindow(browser));
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });

  /** The editor's text, as if typed over. */
  async function fill(at: Page, text: string): Promise<void> {
    await at.getByRole("textbox", { name: "YAML" }).fill(text);
  }

  async function act(title: string): Promise<void> {
    await page.getByRole("button", { name: "Actions" }).click();
    await page.getByRole("menuitem", { name: title }).click();
  }

  test("shows nothing to who is not signed in, and says how to", async () => {
    await page.goto(`${stage.url}/k/pods`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await assertAccessible(page);
  });

  test("lets the admin in by a link, once", async () => {
    const link = await stage.link();
    await signIn(page, link);
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    const other = await openWindow(browser);
    await other.page.goto(link);
    await other.page.getByRole("button", { name: "Sign in" }).click();
    await other.page.getByText("this link has been used").waitFor();
    await other.page.context().close();
  });

  test("shows a pod that kubectl creates, without being asked", async () => {
    await page.goto(`${stage.url}/k/pods?ns=default`);
    await page.getByText("No pods here yet").waitFor();
    await stage.kubectl("create deployment web --image=registry.example/web:1 --replicas=3");
    const row = page.getByRole("row", { name: /web-.*Pending/ }).first();
    await row.waitFor();
    await picture(page, "pods");
    await assertAccessible(page);
    await assertAccessibleNarrow(page);
    await page.getByRole("button", { name: "All columns" }).click();
    await page.getByRole("button", { name: "Nominated Node" }).waitFor();
    assert.match(page.url(), /wide=yes/);
    await page.getByRole("button", { name: "All columns" }).click();
    await page.getByRole("button", { name: "Nominated Node" }).waitFor({ state: "detached" });
    await stage.kubectl("delete deployment web");
    await page.getByText("No pods here yet").waitFor();
    healthy();
  });

  test("tells first what needs attention", async () => {
    const status = { phase: "Failed", reason: "Evicted", message: "the host ran out of memory" };
    await stage.kubectl("run sick --image=registry.example/sick:1");
    await stage.kubectl(
      `patch pod sick --subresource=status -p ${JSON.stringify({ status }).replaceAll(" ", "\u00a0")}`,
    );
    await page.goto(`${stage.url}/`);
    await page.getByRole("row", { name: /Pod sick.*Evicted/ }).waitFor();
    await page.getByText("1 failing").waitFor();
    await picture(page, "overview");
    await assertAccessible(page);
    await stage.kubectl("delete pod sick --now");
    await page.getByRole("row", { name: /Pod sick/ }).waitFor({ state: "detached" });
    healthy();
  });

  test("completes YAML as the server describes its kinds, which nobody asks for before", async () => {
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/openapi/")) asked.push(request.url());
    });
    const definition = { group: "sea.example", scope: "Namespaced", names: { plural: "boats", kind: "Boat" } };
    const color = { type: "string", enum: ["red", "blue"], description: "As it is painted." };
    const schema = { type: "object", properties: { spec: { type: "object", properties: { color } } } };
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }];
    await stage.kubectl(
      "apply -f -",
      JSON.stringify({
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "boats.sea.example" },
        spec: { ...definition, versions },
      }),
    );
    await stage.kubectl("wait --for=condition=Established crd/boats.sea.example --timeout=20s");
    await page.goto(`${stage.url}/create?ns=default`);
    const editor = page.getByRole("textbox", { name: "YAML" });
    await fill(page, "apiVersion: sea.example/v1\nkind: Boat\nmetadata:\n  name: ada\nspec:\n");
    assert.deepEqual(asked, []);
    await editor.press("Control+End");
    await editor.pressSequentially("  co");
    const choice = page.getByRole("option", { name: "color" });
    await choice.waitFor();
    await page.getByText("As it is painted.").waitFor();
    await picture(page, "yaml-completion");
    await assertAccessible(page);
    await choice.click();
    await page.getByRole("option", { name: "blue" }).click();
    assert.match(await editor.innerText(), /spec:\n\s+color: blue/);
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("Boat ada will be created").waitFor();
    healthy();
  });

  test("a kind that somebody adds has its place and its pages at once, and loses them with its definition", async () => {
    await page.goto(`${stage.url}/kinds`);
    const areas = page.getByRole("navigation", { name: "Areas" });
    await areas.getByRole("link", { name: "Boats" }).waitFor();
    await stage.kubectl("apply -f -", ferries);
    await areas.getByRole("link", { name: "Ferry lines" }).click();
    await page.getByRole("heading", { name: "Ferry lines", level: 1 }).waitFor();
    await page.getByText("No ferry lines here yet").waitFor();
    // What the kind must have is there to be filled in.
    await page
      .getByRole("button", { name: "Create" })
      .or(page.getByRole("link", { name: "Create" }))
      .click();
    const editor = page.getByRole("textbox", { name: "YAML" });
    await editor.getByText("kind: FerryLine").waitFor();
    await editor.getByText('harbour: ""').waitFor();
    await fill(page, ferry("Bergen"));
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("FerryLine north will be created").waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "north", level: 1 }).waitFor();
    await page.getByText("Bergen").waitFor();
    await page.getByText("Ready", { exact: true }).first().waitFor();
    await picture(page, "custom-object");
    await assertAccessible(page);
    await page.getByRole("tab", { name: "Events" }).click();
    await page.getByText("Nothing happened lately").waitFor();
    await page.getByRole("tab", { name: "YAML" }).click();
    await editor.waitFor();
    await fill(page, `${ferry("Bergen")}  `);
    await editor.press("Control+End");
    await editor.pressSequentially("bo");
    await page.getByRole("option", { name: "boats" }).waitFor();
    await page.getByText("How many sail on it.").waitFor();
    await editor.press("Escape");
    await page.goto(`${stage.url}/k/ferrylines.sea.example?ns=default`);
    // The columns are those of the definition.
    await page.getByRole("row", { name: /^north Bergen 7 / }).waitFor();
    await stage.kubectl(`patch ferrylines.sea.example north --type=merge -p {"spec":{"boats":8}}`);
    await page.getByRole("row", { name: /^north Bergen 8 / }).waitFor();
    await picture(page, "custom-list");
    await assertAccessible(page);
    await assertAccessibleNarrow(page);
    await page.goto(`${stage.url}/kinds?q=ferry`);
    await page.getByRole("row", { name: /^FerryLine sea.example\/v1 Namespaced fl added/ }).waitFor();
    await page.goto(`${stage.url}/kinds`);
    await page.getByRole("row", { name: /^RoleBinding rbac.authorization.k8s.io\/v1/ }).waitFor();
    await picture(page, "kinds");
    await assertAccessible(page);
    await assertAccessibleNarrow(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("ferry");
    await page.getByRole("dialog").getByRole("button", { name: "Ferry lines custom kind" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "north" }).click();
    await act("Delete…");
    const dialog = page.getByRole("dialog");
    assert.equal(
      await dialog.getByRole("textbox", { name: "Command" }).inputValue(),
      "kubectl delete ferrylines.sea.example/north -n default",
    );
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("No ferry lines here yet").waitFor();
    assert.equal(await stage.kubectl("get ferrylines.sea.example -o name"), "");
    await stage.kubectl("delete crd ferrylines.sea.example");
    await areas.getByRole("link", { name: "Ferry lines" }).waitFor({ state: "detached" });
    await page.getByRole("heading", { name: "The server serves no ferrylines.sea.example" }).waitFor();
    await assertAccessible(page);
    healthy();
  });

  test("makes a Deployment from YAML, wrong first and then right", async () => {
    await page.goto(`${stage.url}/create?ns=default`);
    const editor = page.getByRole("textbox", { name: "YAML" });
    await editor.waitFor();
    await fill(page, deployment("registry.example/web:1").replace("replicas: 2", "replicaz: 2"));
    await page.getByRole("button", { name: "Review" }).click();
    await page
      .getByText(/.spec.replicaz: field not declared/)
      .first()
      .waitFor();
    await page.locator(".cm-lint-marker-error").waitFor();
    await assertAccessible(page);
    await picture(page, "yaml-fault");
    await fill(page, deployment("registry.example/web:1"));
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("Deployment web will be created").waitFor();
    await picture(page, "yaml-review");
    await assert.rejects(stage.kubectl("get deployment web"), /not found/);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "web", exact: true }).waitFor();
    await page.getByRole("row", { name: /^web-/ }).nth(1).waitFor();
    await assertAccessible(page);
    await picture(page, "deployment");
    healthy();
  });

  test("changes it in its YAML after showing the difference, and rolls it back", async () => {
    await page.getByRole("tab", { name: "YAML" }).click();
    await page.getByRole("textbox", { name: "YAML" }).waitFor();
    const now = await stage.kubectl("get deployment web -o yaml");
    await fill(page, now.replace("registry.example/web:1", "registry.example/web:2"));
    await page.getByRole("button", { name: "Review" }).click();
    await page.getByText("Deployment web will change").waitFor();
    await page.locator(".cm-changedLine, .cm-insertedLine").first().waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("tab", { name: "History" }).click();
    await page.getByRole("row", { name: /^2 .*web:2.*current/ }).waitFor();
    await page.getByRole("button", { name: "Roll back to 1" }).click();
    const command = page.getByRole("dialog").getByRole("textbox", { name: "Command" });
    assert.match(await command.inputValue(), /^kubectl rollout undo deployment\/web --to-revision=1 -n default$/);
    await page.getByRole("dialog").getByRole("button", { name: "Roll back", exact: true }).click();
    await page.getByRole("row", { name: /^3 .*web:1.*current/ }).waitFor();
    await assertAccessible(page);
    healthy();
  });

  test("scales it, and deletes it after saying what goes with it", async () => {
    await act("Scale…");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("spinbutton", { name: "Replicas" }).fill("4");
    await dialog.getByRole("button", { name: "Scale", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    assert.equal(await stage.kubectl("get deployment web -o jsonpath={.spec.replicas}"), "4");
    await act("Delete…");
    await dialog.getByText("Its replica sets and all their pods go with it.").waitFor();
    await dialog.getByText(/^\d+ pods: web-.*, web-/).waitFor();
    await assertAccessible(page);
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("No deployments here yet").waitFor();
    healthy();
  });

  test("draws which pods a Service leads to, says who may reach them, and follows when the Service goes", async () => {
    for (const [name, app, address] of [
      ["web", "web", "10.9.0.2"],
      ["web-2", "web", "10.9.0.3"],
      ["db", "db", "10.9.0.4"],
      ["shell", "shell", "10.9.0.5"],
    ] as const) {
      await stage.kubectl(`run ${name} --image=registry.example/${name}:1 --port=8080 --labels=app=${app}`);
      const ready = [{ type: "Ready", status: "True" }];
      const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }], conditions: ready };
      await stage.kubectl(`patch pod ${name} --subresource=status -p ${JSON.stringify({ status })}`);
    }
    await stage.kubectl("expose pod web --port=80 --target-port=8080");
    await stage.kubectl("expose pod db --port=5432 --target-port=8080");
    await page.goto(`${stage.url}/topology?ns=default`);
    await page.getByRole("button", { name: /^web Ready · through web/ }).click();
    await page.waitForURL(/pod=web/);
    await page.getByRole("row", { name: /^shell 8080\/tcp let through Service default\/web opens the way/ }).waitFor();
    await picture(page, "topology");
    await assertAccessible(page);
    await stage.kubectl("delete service web");
    await page.getByRole("button", { name: /^web Ready · no Service leads here/ }).waitFor();
    await page.getByText("There is no other pod here, or no port that is known of.").waitFor();
    await stage.kubectl("delete service db");
    await stage.kubectl("delete pod web web-2 db shell --now");
    healthy();
  });

  test("shows a person without rights why there is nothing to see", async () => {
    const { page: theirs, healthy: isWell } = await openWindow(browser);
    await signIn(theirs, await stage.link(await stage.person("mallory")));
    await theirs.goto(`${stage.url}/k/secrets`);
    await theirs.getByText('User "mallory" cannot list resource "secrets"').waitFor();
    await theirs.getByRole("button", { name: "mallory" }).waitFor();
    await assertAccessible(theirs);
    isWell();
    await theirs.context().close();
  });

  test("finds, sorts, and keeps both in the URL", async () => {
    for (const name of ["alpha-42", "beta-42"]) await stage.kubectl(`create configmap ${name} --from-literal=a=b`);
    await page.goto(`${stage.url}/k/configmaps?ns=default`);
    await page
      .getByRole("searchbox", { name: "Find in Config maps" })
      .or(page.getByLabel("Find in Config maps"))
      .fill("42");
    await page.getByRole("button", { name: "Name" }).click();
    await page.getByRole("button", { name: "Name" }).click();
    await page.waitForURL(/q=42.*sort=-Name/);
    await page.reload();
    const names = page.locator("tbody tr td:first-child");
    await names.nth(1).waitFor();
    assert.deepEqual(await names.allTextContents(), ["beta-42", "alpha-42"]);
  });

  test("goes anywhere by keys alone", async () => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type("stateful");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Stateful sets", level: 1 }).waitFor();
    // A search of the page's own, an object that is found by its name, a link in a table, an action in its menu.
    await page.keyboard.press("/");
    await page.keyboard.type("nothing");
    await page.waitForURL(/q=nothing/);
    await stage.kubectl("run keyed --image=registry.example/web:1");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("keyed");
    const choice = page.getByRole("dialog").getByRole("button", { name: "default/keyed Pod" });
    await choice.waitFor();
    await picture(page, "palette");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "keyed", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Actions" }).focus();
    await page.keyboard.press("Enter");
    // Opened by a key, the menu has the focus.
    await page.locator("[role=menuitem]:focus").waitFor();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("What it wrote outside of claimed volumes goes with it.").waitFor();
    await dialog.getByRole("button", { name: "Delete", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Pods", level: 1 }).waitFor();
  });

  test("answers only its own page", async () => {
    // As text: what runs in the page is none of this program's types.
    const answers = await page.evaluate(`(async () => {
      const bare = await fetch("/hub/api/v1/secrets");
      const own = await fetch("/hub/api/v1/namespaces", { headers: { "x-atoll-console": "1" } });
      return { bare: bare.status, own: own.status, cookie: document.cookie };
    })()`);
    assert.deepEqual(answers, { bare: 403, own: 200, cookie: "" });
  });

  test("lets nobody in after signing out", async () => {
    await page.getByRole("button", { name: "kubernetes-admin" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${stage.url}/k/pods`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});
